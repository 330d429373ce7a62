import {
  GetObjectLegalHoldCommand,
  GetObjectRetentionCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import type { Bucket } from "./bucket.ts";
import type { S3Calls } from "./s3-answers.ts";
import { orNone, SHORT, told } from "./s3-told.ts";
import { instantIn, wholeSecond } from "./s3-values.ts";

type LockCalls = Pick<S3Calls, "getHold" | "setHold" | "getRetention" | "setRetention">;

export function lockCalls(client: S3Client, bucket: Bucket): LockCalls {
  const at = { Bucket: bucket.name, ExpectedBucketOwner: bucket.owner };
  const version = (key: string, versionId: string) => ({ ...at, Key: key, VersionId: versionId });
  return {
    async getHold(key, versionId) {
      const command = new GetObjectLegalHoldCommand(version(key, versionId));
      const answer = await orNone(key, client.send(command, SHORT));
      return answer?.LegalHold?.Status === "ON";
    },
    async setHold(key, versionId, held) {
      const command = new PutObjectLegalHoldCommand({
        ...version(key, versionId),
        LegalHold: { Status: held ? "ON" : "OFF" },
      });
      await told(key, client.send(command, SHORT));
    },
    async getRetention(key, versionId) {
      const command = new GetObjectRetentionCommand(version(key, versionId));
      const answer = await orNone(key, client.send(command, SHORT));
      const Retention = answer?.Retention;
      if (Retention?.RetainUntilDate === undefined) return undefined;
      return { mode: Retention.Mode ?? "", until: instantIn(Retention.RetainUntilDate) };
    },
    async setRetention(key, versionId, until) {
      const command = new PutObjectRetentionCommand({
        ...version(key, versionId),
        Retention: { Mode: "GOVERNANCE", RetainUntilDate: wholeSecond(until) },
      });
      await told(key, client.send(command, SHORT));
    },
  };
}
