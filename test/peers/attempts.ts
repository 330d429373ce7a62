import assert from "node:assert/strict";
import {
  AbortMultipartUploadCommand,
  type BucketLifecycleConfiguration,
  CopyObjectCommand,
  DeleteBucketCommand,
  DeleteBucketLifecycleCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketAclCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketReplicationCommand,
  PutBucketVersioningCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
  PutObjectTaggingCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { DAY_MS } from "#base/time";
import type { At } from "./objects.ts";
import { BUCKET } from "./policed.ts";

/** What somebody tries, by what he wants. */
type Attempts = Readonly<Record<string, () => Promise<unknown>>>;

/** What may not be, and what is there for nobody: Ceph 16 copies to no other bucket. */
const REFUSED = [403, 405];

/** Each attempt must be refused: not because it was said badly, but because it may not be. */
export async function eachRefused(attempts: Attempts): Promise<void> {
  const went: string[] = [];
  for (const [what, attempt] of Object.entries(attempts)) {
    const status = await attempt().then(
      (answer) => (answer === REFUSED_EACH ? 403 : 200),
      (error: unknown) => statusOf(error),
    );
    if (!REFUSED.includes(status)) went.push(`${what}: ${status}`);
  }
  assert.deepEqual(went, []);
}

function statusOf(error: unknown): number {
  const metadata: unknown = error instanceof Error && "$metadata" in error && error.$metadata;
  const known = typeof metadata === "object" && metadata !== null && "httpStatusCode" in metadata;
  if (known && typeof metadata.httpStatusCode === "number") return metadata.httpStatusCode;
  throw error;
}

/** A request that names several is answered with 200, and with a refusal for each. */
const REFUSED_EACH = "each refused";

async function deleteSeveral(client: S3Client, at: At, more: object): Promise<string> {
  const { Bucket, Key, VersionId } = at;
  const Delete = { Objects: [{ Key, VersionId }] };
  const { Errors = [] } = await client.send(new DeleteObjectsCommand({ Bucket, Delete, ...more }));
  return Errors.some(({ Code }) => Code === "AccessDenied") ? REFUSED_EACH : "done";
}

/** Ways to be rid of a version that is there. */
export function destroying(client: S3Client, at: At): Attempts {
  const { Bucket, Key } = at;
  const bypass = { BypassGovernanceRetention: true };
  return {
    "delete it": () => client.send(new DeleteObjectCommand(at)),
    "delete it, bypassing the lock": () =>
      client.send(new DeleteObjectCommand({ ...at, ...bypass })),
    "delete it among several": () => deleteSeveral(client, at, {}),
    "delete it among several, bypassing": () => deleteSeveral(client, at, bypass),
    "hide it behind a marker": () => client.send(new DeleteObjectCommand({ Bucket, Key })),
    "delete the bucket": () => client.send(new DeleteBucketCommand({ Bucket })),
  };
}

/** Ways to change how long a version is kept. `nowMs`: its lock ends days after. */
export function unlocking(client: S3Client, at: At, nowMs: number): Attempts {
  const lock = (Mode: "GOVERNANCE" | "COMPLIANCE", days: number, bypass = false) => {
    const Retention = { Mode, RetainUntilDate: new Date(nowMs + days * DAY_MS) };
    const more = bypass ? { BypassGovernanceRetention: true } : {};
    return client.send(new PutObjectRetentionCommand({ ...at, Retention, ...more }));
  };
  const hold = (Status: "ON" | "OFF") =>
    client.send(new PutObjectLegalHoldCommand({ ...at, LegalHold: { Status } }));
  return {
    "shorten its lock": () => lock("GOVERNANCE", 1),
    "shorten its lock, bypassing": () => lock("GOVERNANCE", 1, true),
    // Ceph 16 keeps 32 bits: this date is in 1990.
    "lengthen its lock until it turns round": () => lock("GOVERNANCE", 100 * 365),
    "lengthen its lock past the term": () => lock("GOVERNANCE", 400),
    "lock it for good": () => lock("COMPLIANCE", 400),
    "lift its hold": () => hold("OFF"),
    "set a hold": () => hold("ON"),
    "open it to all": () => client.send(new PutObjectAclCommand({ ...at, ACL: "public-read" })),
    "tag it": () =>
      client.send(
        new PutObjectTaggingCommand({ ...at, Tagging: { TagSet: [{ Key: "a", Value: "b" }] } }),
      ),
  };
}

/** Ways to change what the bucket does. */
export function resetting(client: S3Client): Attempts {
  const at = { Bucket: BUCKET };
  const Rules: BucketLifecycleConfiguration["Rules"] = [
    { ID: "all", Status: "Enabled", Filter: { Prefix: "" }, Expiration: { Days: 1 } },
  ];
  const allow = { Effect: "Allow", Principal: "*", Action: "s3:*", Resource: "*" };
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [allow] });
  const Destination = { Bucket: "arn:aws:s3:::elsewhere" };
  const copies = [{ ID: "all", Status: "Enabled" as const, Prefix: "", Destination }];
  const ReplicationConfiguration = { Role: "", Rules: copies };
  const VersioningConfiguration = { Status: "Suspended" as const };
  return {
    "set a lifecycle": () =>
      client.send(
        new PutBucketLifecycleConfigurationCommand({ ...at, LifecycleConfiguration: { Rules } }),
      ),
    "remove the lifecycle": () => client.send(new DeleteBucketLifecycleCommand(at)),
    "suspend versions": () =>
      client.send(new PutBucketVersioningCommand({ ...at, VersioningConfiguration })),
    "change the lock of the bucket": () =>
      client.send(
        new PutObjectLockConfigurationCommand({
          ...at,
          ObjectLockConfiguration: { ObjectLockEnabled: "Enabled" },
        }),
      ),
    "copy all elsewhere": () =>
      client.send(new PutBucketReplicationCommand({ ...at, ReplicationConfiguration })),
    "remove the policy": () => client.send(new DeleteBucketPolicyCommand(at)),
    "set a policy": () => client.send(new PutBucketPolicyCommand({ ...at, Policy })),
    "open the bucket to all": () =>
      client.send(new PutBucketAclCommand({ ...at, ACL: "public-read-write" })),
  };
}

/** Ways to see or touch what `at` and its prefix are of others. */
export function prying(client: S3Client, at: At): Attempts {
  const { Bucket, Key } = at;
  const Prefix = `${Key.split("/").slice(0, 2).join("/")}/`;
  const list = (more: object) => client.send(new ListObjectVersionsCommand({ Bucket, ...more }));
  return {
    "read it": () => client.send(new GetObjectCommand(at)),
    "read it by key": () => client.send(new GetObjectCommand({ Bucket, Key })),
    "see whether it is there": () => client.send(new HeadObjectCommand(at)),
    "list its prefix": () => list({ Prefix }),
    "list its prefix without versions": () =>
      client.send(new ListObjectsV2Command({ Bucket, Prefix })),
    "list all": () => list({}),
    "list what begins alike": () => list({ Prefix: "footage/dock-" }),
    "list all without versions": () => client.send(new ListObjectsV2Command({ Bucket })),
    "list the top": () => client.send(new ListObjectsV2Command({ Bucket, Delimiter: "/" })),
  };
}

/** Ways to write where `at` is. */
export function forging(client: S3Client, { Bucket, Key }: At, UploadId: string): Attempts {
  return {
    "write over it": () => client.send(new PutObjectCommand({ Bucket, Key, Body: "forged" })),
    "write beside it": () =>
      client.send(new PutObjectCommand({ Bucket, Key: `${Key}-2`, Body: "forged" })),
    "copy something over it": () =>
      client.send(
        new CopyObjectCommand({
          Bucket,
          Key,
          CopySource: `${Bucket}/${Key}`,
          MetadataDirective: "REPLACE",
        }),
      ),
    "abort its upload": () =>
      client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })),
  };
}
