import { type Row, refused, same } from "./s3-row.ts";

export const BUCKET_ROWS: readonly Row[] = [
  {
    name: "making one's own bucket again is refused",
    bucket: "plain",
    async run({ s3, bucket }) {
      await refused(s3.createBucket({ Bucket: bucket }), 409, "BucketAlreadyOwnedByYou");
    },
  },
  {
    name: "a bucket in another region is refused",
    bucket: "plain",
    async run({ s3, bucket }) {
      const elsewhere = { LocationConstraint: "ap-south-1" } as const;
      await refused(
        s3.createBucket({ Bucket: `${bucket}-x`, CreateBucketConfiguration: elsewhere }),
        400,
      );
    },
  },
  {
    name: "HeadBucket tells the region",
    bucket: "plain",
    async run({ s3, peer, bucket }) {
      same((await s3.headBucket({ Bucket: bucket })).BucketRegion, peer.region);
    },
  },
  {
    name: "GetBucketLocation tells the region",
    bucket: "plain",
    async run({ s3, peer, bucket }) {
      const { LocationConstraint } = await s3.getBucketLocation({ Bucket: bucket });
      same<string | undefined>(LocationConstraint, peer.region);
    },
  },
  {
    name: "a bucket that is not there is told so",
    bucket: "plain",
    async run({ s3, bucket }) {
      const Bucket = `${bucket}-no`;
      await refused(s3.headBucket({ Bucket }), 404);
      await refused(s3.listObjectVersions({ Bucket }), 404, "NoSuchBucket");
      await refused(s3.putObject({ Bucket, Key: "one", Body: "x" }), 404, "NoSuchBucket");
    },
  },
  {
    name: "another owner than expected is refused",
    bucket: "plain",
    async run({ s3, bucket }) {
      await s3.getBucketVersioning({ Bucket: bucket });
      const asked = { Bucket: bucket, ExpectedBucketOwner: "999999999999" };
      await refused(s3.getBucketVersioning(asked), 403, "AccessDenied");
    },
  },
  {
    name: "versioning is off at first, and on after it was put on",
    bucket: "plain",
    async run({ s3, bucket }) {
      same((await s3.getBucketVersioning({ Bucket: bucket })).Status, undefined);
      await s3.putBucketVersioning({
        Bucket: bucket,
        VersioningConfiguration: { Status: "Enabled" },
      });
      same((await s3.getBucketVersioning({ Bucket: bucket })).Status, "Enabled");
    },
  },
  {
    name: "a bucket with object lock says so, and keeps its versioning",
    bucket: "locked",
    async run({ s3, bucket }) {
      const { ObjectLockConfiguration } = await s3.getObjectLockConfiguration({ Bucket: bucket });
      same(ObjectLockConfiguration?.ObjectLockEnabled, "Enabled");
      same((await s3.getBucketVersioning({ Bucket: bucket })).Status, "Enabled");
      const VersioningConfiguration = { Status: "Suspended" } as const;
      await refused(s3.putBucketVersioning({ Bucket: bucket, VersioningConfiguration }), 409);
    },
  },
  {
    name: "a bucket without object lock says so",
    bucket: "versioned",
    async run({ s3, bucket }) {
      const asked = s3.getObjectLockConfiguration({ Bucket: bucket });
      await refused(asked, 404, "ObjectLockConfigurationNotFoundError");
    },
  },
  {
    name: "lifecycle rules are given back as they were put, and none are told as none",
    bucket: "versioned",
    async run({ s3, bucket }) {
      const at = { Bucket: bucket };
      await refused(s3.getBucketLifecycleConfiguration(at), 404, "NoSuchLifecycleConfiguration");
      const rule = {
        ID: "footage",
        Status: "Enabled",
        Filter: { Prefix: "footage/" },
        Expiration: { Days: 27 },
        NoncurrentVersionExpiration: { NoncurrentDays: 1 },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
      } as const;
      const LifecycleConfiguration = { Rules: [rule] };
      await s3.putBucketLifecycleConfiguration({ ...at, LifecycleConfiguration });
      const [read] = (await s3.getBucketLifecycleConfiguration(at)).Rules ?? [];
      same(read?.Filter?.Prefix, "footage/");
      same(read?.Expiration?.Days, 27);
      same(read?.NoncurrentVersionExpiration?.NoncurrentDays, 1);
      same(read?.AbortIncompleteMultipartUpload?.DaysAfterInitiation, 1);
    },
  },
  {
    name: "replication that is not there is told so",
    bucket: "versioned",
    async run({ s3, bucket }) {
      const asked = s3.getBucketReplication({ Bucket: bucket });
      await refused(asked, 404, "ReplicationConfigurationNotFoundError");
    },
  },
  {
    name: "a public access block that is not there is told so",
    bucket: "plain",
    async run({ s3, bucket }) {
      const at = { Bucket: bucket };
      await s3.deletePublicAccessBlock(at);
      const asked = s3.getPublicAccessBlock(at);
      await refused(asked, 404, "NoSuchPublicAccessBlockConfiguration");
    },
  },
  {
    name: "a new bucket blocks public access",
    bucket: "plain",
    async run({ s3, bucket }) {
      const block = await s3.getPublicAccessBlock({ Bucket: bucket });
      same(block.PublicAccessBlockConfiguration?.BlockPublicPolicy, true);
    },
  },
  {
    name: "a public access block is given back as it was put",
    bucket: "plain",
    async run({ s3, bucket }) {
      const PublicAccessBlockConfiguration = {
        BlockPublicAcls: true,
        IgnorePublicAcls: true,
        BlockPublicPolicy: true,
        RestrictPublicBuckets: true,
      };
      await s3.putPublicAccessBlock({ Bucket: bucket, PublicAccessBlockConfiguration });
      const read = (await s3.getPublicAccessBlock({ Bucket: bucket }))
        .PublicAccessBlockConfiguration;
      same(read?.BlockPublicPolicy, true);
      same(read?.RestrictPublicBuckets, true);
    },
  },
  {
    name: "the policy status of a bucket without a policy is none",
    bucket: "plain",
    async run({ s3, bucket }) {
      await refused(s3.getBucketPolicyStatus({ Bucket: bucket }), 404, "NoSuchBucketPolicy");
    },
  },
  {
    name: "a new bucket is encrypted by the server",
    bucket: "plain",
    async run({ s3, bucket }) {
      const { ServerSideEncryptionConfiguration: read } = await s3.getBucketEncryption({
        Bucket: bucket,
      });
      const [rule] = read?.Rules ?? [];
      same<string | undefined>(rule?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm, "AES256");
    },
  },
  {
    name: "a bucket with anything in it is not deleted",
    bucket: "versioned",
    async run({ s3, bucket }) {
      const put = await s3.putObject({ Bucket: bucket, Key: "one", Body: "x" });
      await refused(s3.deleteBucket({ Bucket: bucket }), 409, "BucketNotEmpty");
      await s3.deleteObject({ Bucket: bucket, Key: "one", VersionId: put.VersionId });
      await s3.deleteBucket({ Bucket: bucket });
      await refused(s3.headBucket({ Bucket: bucket }), 404);
    },
  },
];
