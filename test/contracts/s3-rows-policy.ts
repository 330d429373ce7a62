import { CONTENT, type Ground, type Row, refused, same } from "./s3-row.ts";
import { BODY, inDays, policy, type Statement } from "./s3-row-policy.ts";

export const POLICY_ROWS: readonly Row[] = [
  {
    name: "a policy is given back as it was put, and none is told as none",
    bucket: "plain",
    async run(ground) {
      const { s3, bucket } = ground;
      await refused(s3.getBucketPolicy({ Bucket: bucket }), 404, "NoSuchBucketPolicy");
      await policy(ground, { Action: "s3:GetObject", on: "*" });
      const read = await s3.getBucketPolicy({ Bucket: bucket });
      same(read.Policy?.includes("s3:GetObject"), true);
      await s3.deleteBucketPolicy({ Bucket: bucket });
      await refused(s3.getBucketPolicy({ Bucket: bucket }), 404, "NoSuchBucketPolicy");
    },
  },
  {
    name: "what is no policy is refused",
    bucket: "plain",
    async run(ground) {
      const { s3, bucket } = ground;
      await policy(ground, { Action: "s3:GetObject", on: "*" });
      const put = s3.putBucketPolicy({
        Bucket: bucket,
        Policy: '{"Statement":[{"Effect":"May"}]}',
      });
      await refused(put, 400);
    },
  },
  {
    name: "a right is for its prefix only, and deleting is not writing",
    bucket: "versioned",
    async run(ground) {
      const { other, bucket } = ground;
      await policy(ground, { Action: ["s3:PutObject"], on: "mine/*" });
      const mine = { Bucket: bucket, Key: "mine/one" };
      const { VersionId } = await other.putObject({ ...mine, ...BODY });
      const theirs = other.putObject({ Bucket: bucket, Key: "theirs/one", ...BODY });
      await refused(theirs, 403, "AccessDenied");
      await refused(other.deleteObject({ ...mine, VersionId }), 403, "AccessDenied");
      await refused(other.deleteObject(mine), 403, "AccessDenied");
    },
  },
  {
    name: "writing is not reading, even for who wrote it",
    bucket: "versioned",
    async run(ground) {
      const { other, bucket } = ground;
      await policy(ground, { Action: ["s3:PutObject"], on: "*" });
      const at = { Bucket: bucket, Key: "one" };
      await other.putObject({ ...at, ...BODY });
      await refused(other.getObject(at), 403, "AccessDenied");
    },
  },
  {
    name: "writing is not holding or locking, even for who wrote it",
    bucket: "locked",
    async run(ground) {
      const { other, bucket } = ground;
      await policy(ground, { Action: ["s3:PutObject"], on: "*" });
      const at = { Bucket: bucket, Key: "one" };
      const { VersionId } = await other.putObject({ ...at, ...BODY });
      const hold = { ...at, VersionId, LegalHold: { Status: "ON" } } as const;
      await refused(other.putObjectLegalHold(hold), 403, "AccessDenied");
      const Retention = { Mode: "GOVERNANCE", RetainUntilDate: inDays(1) } as const;
      await refused(other.putObjectRetention({ ...at, VersionId, Retention }), 403, "AccessDenied");
    },
  },
  {
    name: "who wrote an object can be denied to read it, to hold it and to lock it",
    bucket: "locked",
    async run(ground) {
      const { other, bucket } = ground;
      const Action = [
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:PutObjectLegalHold",
        "s3:PutObjectRetention",
      ];
      await policy(
        ground,
        { Action: "s3:PutObject", on: "*" },
        { Effect: "Deny", Action, on: "*" },
      );
      const at = { Bucket: bucket, Key: "one" };
      const { VersionId } = await other.putObject({ ...at, ...BODY });
      await refused(other.getObject(at), 403, "AccessDenied");
      await refused(other.headObject({ ...at, VersionId }), 403);
      const hold = { ...at, VersionId, LegalHold: { Status: "OFF" } } as const;
      await refused(other.putObjectLegalHold(hold), 403, "AccessDenied");
      const Retention = { Mode: "GOVERNANCE", RetainUntilDate: inDays(1) } as const;
      await refused(other.putObjectRetention({ ...at, VersionId, Retention }), 403, "AccessDenied");
    },
  },
  {
    name: "reading the newest and reading a version are two rights",
    bucket: "versioned",
    async run(ground) {
      const { s3, other, bucket } = ground;
      const at = { Bucket: bucket, Key: "mine/one" };
      const { VersionId } = await s3.putObject({ ...at, ...BODY });
      await policy(ground, { Action: "s3:GetObjectVersion", on: "mine/*" });
      await refused(other.getObject(at), 403, "AccessDenied");
      same((await other.headObject({ ...at, VersionId })).ContentLength, CONTENT.length);
    },
  },
  {
    name: "deleting a version is a right of its own",
    bucket: "versioned",
    async run(ground) {
      const { s3, other, bucket } = ground;
      const at = { Bucket: bucket, Key: "mine/one" };
      const { VersionId } = await s3.putObject({ ...at, ...BODY });
      await policy(ground, { Action: "s3:DeleteObjectVersion", on: "mine/*" });
      await refused(other.deleteObject(at), 403, "AccessDenied");
      await other.deleteObject({ ...at, VersionId });
    },
  },
  {
    name: "DeleteObjects asks for the right to each key, and for no other",
    bucket: "versioned",
    run: (ground) => deleteTwo(ground, { Action: "s3:DeleteObjectVersion", on: "mine/*" }),
  },
  {
    name: "DeleteObjects, allowed for the bucket too, asks for the right to each key",
    bucket: "versioned",
    run: (ground) =>
      deleteTwo(
        ground,
        { Action: "s3:DeleteObjectVersion", on: "mine/*" },
        { Action: "s3:DeleteObject" },
      ),
  },
  {
    name: "all but some can be denied (NotPrincipal)",
    bucket: "versioned",
    async run({ peer, s3, other, bucket }) {
      const Resource = [`arn:aws:s3:::${bucket}/*`];
      const Statement = [
        { Effect: "Allow", Principal: { AWS: [peer.other.arn] }, Action: ["s3:*"], Resource },
        {
          Effect: "Deny",
          NotPrincipal: { AWS: [peer.other.arn] },
          Action: ["s3:DeleteObjectVersion"],
          Resource,
        },
      ];
      const at = { Bucket: bucket, Key: "one" };
      const { VersionId } = await s3.putObject({ ...at, ...BODY });
      const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
      await s3.putBucketPolicy({ Bucket: bucket, Policy });
      await refused(s3.deleteObject({ ...at, VersionId }), 403, "AccessDenied");
      await other.deleteObject({ ...at, VersionId });
    },
  },
  {
    name: "a denial wins from what is allowed, for the owner too",
    bucket: "versioned",
    async run({ s3, bucket }) {
      const { VersionId } = await s3.putObject({ Bucket: bucket, Key: "one", ...BODY });
      const Statement = [
        {
          Effect: "Deny",
          Principal: "*",
          Action: ["s3:DeleteObject*"],
          Resource: [`arn:aws:s3:::${bucket}/*`],
        },
      ];
      const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
      await s3.putBucketPolicy({ Bucket: bucket, Policy });
      const at = { Bucket: bucket, Key: "one" };
      await refused(s3.deleteObject({ ...at, VersionId }), 403, "AccessDenied");
      await refused(s3.deleteObject(at), 403, "AccessDenied");
      await s3.headObject(at);
    },
  },
  {
    name: "a lock at PUT needs the right to set locks",
    bucket: "locked",
    async run(ground) {
      const { other, bucket } = ground;
      await policy(ground, { Action: "s3:PutObject", on: "*" });
      const put = other.putObject({
        Bucket: bucket,
        Key: "one",
        ...BODY,
        ObjectLockMode: "GOVERNANCE",
        ObjectLockRetainUntilDate: inDays(1),
      });
      await refused(put, 403, "AccessDenied");
    },
  },
  {
    name: "a bypass needs a right of its own",
    bucket: "locked",
    async run(ground) {
      const { s3, other, bucket } = ground;
      const at = { Bucket: bucket, Key: "one" };
      const { VersionId } = await s3.putObject({
        ...at,
        ...BODY,
        ObjectLockMode: "GOVERNANCE",
        ObjectLockRetainUntilDate: inDays(1),
      });
      const remove = { ...at, VersionId, BypassGovernanceRetention: true };
      await policy(ground, { Action: "s3:DeleteObjectVersion", on: "*" });
      await refused(other.deleteObject(remove), 403, "AccessDenied");
      const Action = ["s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"];
      await policy(ground, { Action, on: "*" });
      await other.deleteObject(remove);
    },
  },
  {
    name: "a bypass can be denied",
    bucket: "locked",
    async run(ground) {
      const { s3, other, bucket } = ground;
      const at = { Bucket: bucket, Key: "one" };
      const lock = { ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: inDays(1) } as const;
      const { VersionId } = await s3.putObject({ ...at, ...BODY, ...lock });
      await policy(
        ground,
        { Action: ["s3:DeleteObjectVersion", "s3:PutObjectRetention"], on: "*" },
        { Effect: "Deny", Action: "s3:BypassGovernanceRetention", on: "*" },
      );
      const bypass = { ...at, VersionId, BypassGovernanceRetention: true };
      await refused(other.deleteObject(bypass), 403, "AccessDenied");
      const Retention = { Mode: "GOVERNANCE", RetainUntilDate: inDays(0.5) } as const;
      await refused(other.putObjectRetention({ ...bypass, Retention }), 403, "AccessDenied");
    },
  },
  {
    name: "shortening a retention needs the right to bypass",
    bucket: "locked",
    async run(ground) {
      const { s3, other, bucket } = ground;
      const at = { Bucket: bucket, Key: "one" };
      const lock = { ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: inDays(2) } as const;
      const { VersionId } = await s3.putObject({ ...at, ...BODY, ...lock });
      await policy(ground, { Action: "s3:PutObjectRetention", on: "*" });
      const Retention = { Mode: "GOVERNANCE", RetainUntilDate: inDays(1) } as const;
      const shorter = { ...at, VersionId, Retention };
      await refused(other.putObjectRetention(shorter), 403, "AccessDenied");
      const bypass = { ...shorter, BypassGovernanceRetention: true };
      await refused(other.putObjectRetention(bypass), 403, "AccessDenied");
    },
  },
  {
    name: "a policy that lets anybody read is told as public",
    bucket: "plain",
    async run({ s3, bucket, peer }) {
      await s3.putObject({ Bucket: bucket, Key: "one", ...BODY });
      const Statement = [
        {
          Effect: "Allow",
          Principal: "*",
          Action: ["s3:GetObject"],
          Resource: [`arn:aws:s3:::${bucket}/*`],
        },
      ];
      await s3.deletePublicAccessBlock({ Bucket: bucket });
      const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
      await s3.putBucketPolicy({ Bucket: bucket, Policy });
      same((await fetch(`${peer.endpoint}/${bucket}/one`)).status, 200);
      same((await s3.getBucketPolicyStatus({ Bucket: bucket })).PolicyStatus?.IsPublic, true);
    },
  },
];

/** Has the other delete a version he may and one he may not, at once. */
async function deleteTwo(ground: Ground, ...statements: readonly Statement[]): Promise<void> {
  const { s3, other, bucket } = ground;
  const mine = { Bucket: bucket, Key: "mine/one" };
  const theirs = { Bucket: bucket, Key: "theirs/one" };
  const one = (await s3.putObject({ ...mine, ...BODY })).VersionId;
  const two = (await s3.putObject({ ...theirs, ...BODY })).VersionId;
  await policy(ground, ...statements);
  const Objects = [
    { Key: mine.Key, VersionId: one },
    { Key: theirs.Key, VersionId: two },
  ];
  const done = await other.deleteObjects({ Bucket: bucket, Delete: { Objects } });
  const errors = done.Errors?.map(({ Key, Code }) => `${Key} ${Code}`) ?? [];
  same(errors.join(), "theirs/one AccessDenied");
  await refused(s3.headObject({ ...mine, VersionId: one }), 404);
  await s3.headObject({ ...theirs, VersionId: two });
}
