import { type Row, refused, same } from "./s3-row.ts";
import { BODY, inDays, policy } from "./s3-row-policy.ts";

export const CONDITION_ROWS: readonly Row[] = [
  {
    name: "a list is allowed for its prefix only (s3:prefix)",
    bucket: "versioned",
    async run(ground) {
      const { other, bucket } = ground;
      await policy(ground, {
        Action: ["s3:ListBucket", "s3:ListBucketVersions"],
        Condition: { StringLike: { "s3:prefix": "mine/*" } },
      });
      const at = { Bucket: bucket };
      await other.listObjectVersions({ ...at, Prefix: "mine/" });
      await other.listObjectsV2({ ...at, Prefix: "mine/deep/" });
      await refused(other.listObjectVersions({ ...at, Prefix: "theirs/" }), 403, "AccessDenied");
      await refused(other.listObjectVersions(at), 403, "AccessDenied");
    },
  },
  {
    name: "HeadBucket is told from a list by what only a list has (Null s3:max-keys)",
    bucket: "plain",
    async run(ground) {
      const { other, bucket } = ground;
      const Condition = { Null: { "s3:prefix": "true", "s3:max-keys": "true" } };
      await policy(ground, { Action: "s3:ListBucket", Condition });
      await other.headBucket({ Bucket: bucket });
      await refused(other.listObjectsV2({ Bucket: bucket, MaxKeys: 1000 }), 403, "AccessDenied");
      await refused(other.listObjectsV2({ Bucket: bucket, Prefix: "a" }), 403, "AccessDenied");
    },
  },
  {
    name: "a list that says nothing of its length is none that says it (Null s3:max-keys)",
    bucket: "plain",
    async run(ground) {
      const { other, bucket } = ground;
      const Condition = { Null: { "s3:max-keys": "true" } };
      await policy(ground, { Action: "s3:ListBucket", Condition });
      same((await other.listObjectsV2({ Bucket: bucket })).KeyCount, 0);
    },
  },
  {
    name: "unfinished uploads are listed for their prefix only (s3:prefix)",
    bucket: "versioned",
    async run(ground) {
      const { other, bucket } = ground;
      await policy(ground, {
        Action: "s3:ListBucketMultipartUploads",
        Condition: { StringLike: { "s3:prefix": "mine/*" } },
      });
      await other.listMultipartUploads({ Bucket: bucket, Prefix: "mine/" });
      const theirs = other.listMultipartUploads({ Bucket: bucket, Prefix: "theirs/" });
      await refused(theirs, 403, "AccessDenied");
    },
  },
  {
    name: "writing once can be demanded (Null s3:if-none-match)",
    bucket: "versioned",
    async run(ground) {
      const { other, bucket } = ground;
      await policy(
        ground,
        { Action: "s3:PutObject", on: "*" },
        {
          Effect: "Deny",
          Action: "s3:PutObject",
          on: "*",
          Condition: { Null: { "s3:if-none-match": "true" } },
        },
      );
      const at = { Bucket: bucket, Key: "one", ...BODY };
      await refused(other.putObject(at), 403, "AccessDenied");
      await other.putObject({ ...at, IfNoneMatch: "*" });
    },
  },
  {
    name: "a right to set holds can be for ON only (s3:object-lock-legal-hold)",
    bucket: "locked",
    async run(ground) {
      const { s3, other, bucket } = ground;
      const at = { Bucket: bucket, Key: "one" };
      const { VersionId } = await s3.putObject({ ...at, ...BODY });
      await policy(ground, {
        Action: "s3:PutObjectLegalHold",
        on: "*",
        Condition: { StringEquals: { "s3:object-lock-legal-hold": "ON" } },
      });
      await other.putObjectLegalHold({ ...at, VersionId, LegalHold: { Status: "ON" } });
      const off = other.putObjectLegalHold({ ...at, VersionId, LegalHold: { Status: "OFF" } });
      await refused(off, 403, "AccessDenied");
    },
  },
  {
    name: "COMPLIANCE can be denied (s3:object-lock-mode)",
    bucket: "locked",
    async run(ground) {
      const { s3, other, bucket } = ground;
      const at = { Bucket: bucket, Key: "one" };
      const { VersionId } = await s3.putObject({ ...at, ...BODY });
      await policy(
        ground,
        { Action: "s3:PutObjectRetention", on: "*" },
        {
          Effect: "Deny",
          Action: "s3:PutObjectRetention",
          on: "*",
          Condition: { StringEquals: { "s3:object-lock-mode": "COMPLIANCE" } },
        },
      );
      const put = (Mode: "GOVERNANCE" | "COMPLIANCE") =>
        other.putObjectRetention({
          ...at,
          VersionId,
          Retention: { Mode, RetainUntilDate: inDays(1) },
        });
      await refused(put("COMPLIANCE"), 403, "AccessDenied");
      await put("GOVERNANCE");
    },
  },
  {
    name: "retention can be capped where it is set (s3:object-lock-remaining-retention-days)",
    bucket: "locked",
    async run(ground) {
      const { s3, other, bucket } = ground;
      const at = { Bucket: bucket, Key: "one" };
      const { VersionId } = await s3.putObject({ ...at, ...BODY });
      await policy(
        ground,
        { Action: "s3:PutObjectRetention", on: "*" },
        {
          Effect: "Deny",
          Action: "s3:PutObjectRetention",
          on: "*",
          Condition: {
            NumericGreaterThan: { "s3:object-lock-remaining-retention-days": "28" },
          },
        },
      );
      const put = (days: number) =>
        other.putObjectRetention({
          ...at,
          VersionId,
          Retention: { Mode: "GOVERNANCE", RetainUntilDate: inDays(days) },
        });
      await refused(put(400), 403, "AccessDenied");
      await put(20);
    },
  },
  {
    name: "plain http can be denied (aws:SecureTransport)",
    bucket: "plain",
    async run(ground) {
      const { other, bucket, peer } = ground;
      await policy(
        ground,
        { Action: "s3:PutObject", on: "*" },
        {
          Effect: "Deny",
          Action: "s3:*",
          on: "*",
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
      );
      const put = other.putObject({ Bucket: bucket, Key: "one", ...BODY });
      if (peer.endpoint.startsWith("https:")) await put;
      else await refused(put, 403, "AccessDenied");
    },
  },
];
