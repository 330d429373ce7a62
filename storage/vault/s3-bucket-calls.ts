import {
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetBucketPolicyCommand,
  GetBucketPolicyStatusCommand,
  GetBucketReplicationCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { BewaardError } from "#base/errors";
import type { Instant } from "#base/time";
import type { Bucket } from "./bucket.ts";
import type { BucketCalls } from "./s3-answers.ts";
import { lifecycleRule } from "./s3-bucket-answers.ts";
import { NOT_TOLD, orNone, orNotTold, SHORT, told } from "./s3-told.ts";
import { dateOf, headerOf } from "./s3-values.ts";

export function bucketCalls(client: S3Client, bucket: Bucket): BucketCalls {
  const at = { Bucket: bucket.name, ExpectedBucketOwner: bucket.owner };
  const ask = <T>(doing: Promise<T>) => orNotTold(bucket.name, doing);
  return {
    headBucket: () => headOf(client, bucket),
    async location() {
      const answer = await ask(client.send(new GetBucketLocationCommand(at), SHORT));
      return answer === NOT_TOLD ? answer : { region: answer.LocationConstraint ?? "" };
    },
    async versioning() {
      const answer = await ask(client.send(new GetBucketVersioningCommand(at), SHORT));
      return answer === NOT_TOLD ? answer : (answer.Status ?? "never");
    },
    async mfaDelete() {
      const answer = await ask(client.send(new GetBucketVersioningCommand(at), SHORT));
      return answer === NOT_TOLD ? answer : answer.MFADelete === "Enabled";
    },
    async lockConfiguration() {
      const command = new GetObjectLockConfigurationCommand(at);
      const answer = await ask(orNone(bucket.name, client.send(command, SHORT)));
      if (answer === NOT_TOLD) return answer;
      const { ObjectLockEnabled, Rule } = answer?.ObjectLockConfiguration ?? {};
      const { Mode, Days, Years } = Rule?.DefaultRetention ?? {};
      return { enabled: ObjectLockEnabled === "Enabled", mode: Mode, days: Days, years: Years };
    },
    async lifecycle() {
      const command = new GetBucketLifecycleConfigurationCommand(at);
      const answer = await ask(orNone(bucket.name, client.send(command, SHORT)));
      return answer === NOT_TOLD ? answer : (answer?.Rules ?? []).map(lifecycleRule);
    },
    async replication() {
      const command = new GetBucketReplicationCommand(at);
      const answer = await ask(orNone(bucket.name, client.send(command, SHORT)));
      if (answer === NOT_TOLD) return answer;
      const rules = answer?.ReplicationConfiguration?.Rules ?? [];
      return rules.map(({ Destination }) => Destination?.Bucket ?? "?");
    },
    async policy() {
      const command = new GetBucketPolicyCommand(at);
      const answer = await ask(orNone(bucket.name, client.send(command, SHORT)));
      return answer === NOT_TOLD ? answer : { json: answer?.Policy };
    },
    async policyStatus() {
      const command = new GetBucketPolicyStatusCommand(at);
      const answer = await ask(orNone(bucket.name, client.send(command, SHORT)));
      if (answer === NOT_TOLD) return answer;
      return { isPublic: answer?.PolicyStatus?.IsPublic ?? false };
    },
    async publicAccess() {
      const command = new GetPublicAccessBlockCommand(at);
      const answer = await ask(orNone(bucket.name, client.send(command, SHORT)));
      if (answer === NOT_TOLD) return answer;
      const { BlockPublicAcls, BlockPublicPolicy, IgnorePublicAcls, RestrictPublicBuckets } =
        answer?.PublicAccessBlockConfiguration ?? {};
      const all = [BlockPublicAcls, BlockPublicPolicy, IgnorePublicAcls, RestrictPublicBuckets];
      return { blocked: all.every((one) => one === true) };
    },
    async encryption() {
      const command = new GetBucketEncryptionCommand(at);
      const answer = await ask(orNone(bucket.name, client.send(command, SHORT)));
      if (answer === NOT_TOLD) return answer;
      const [rule] = answer?.ServerSideEncryptionConfiguration?.Rules ?? [];
      return { algorithm: rule?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm };
    },
  };
}

/** What the headers of the bucket's own answer say. */
async function headOf(client: S3Client, { name, owner }: Bucket) {
  const command = new HeadBucketCommand({ Bucket: name, ExpectedBucketOwner: owner });
  let region: string | undefined;
  let toldAt: Instant | undefined;
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      region = headerOf(result.response, "x-amz-bucket-region");
      toldAt = dateOf(result.response);
      return result;
    },
    { step: "deserialize", priority: "low" },
  );
  try {
    await told(name, client.send(command, SHORT));
  } catch (error) {
    // A policy cannot tell this from a listing of everything, so a box may not do it. AWS says where it is even so.
    const isTold = region !== undefined && error instanceof BewaardError;
    if (!isTold || error.code !== "VAULT_DENIED") throw error;
  }
  return { region, toldAt };
}
