import { readFile } from "node:fs/promises";
import type { S3Settings } from "../../config/bucket-schema.ts";
import type { Config } from "../../config/schema.ts";
import { readCredential } from "../../config/secrets.ts";
import type { S3Calls } from "../../storage/vault/s3-answers.ts";
import { bucketOf } from "../bucket-of.ts";
import { askBucket } from "./bucket-answers.ts";
import { placeRows } from "./bucket-place.ts";
import { objectLock } from "./bucket-state.ts";
import { fit, type Seen } from "./seen.ts";

/** Whether the bucket answers, lies where it should, and is of its level. Nothing is written. */
export async function lookAtBucket(config: Config, s3: S3Settings): Promise<readonly Seen[]> {
  await using box = await openCalls(s3, config.state, "vault.credential");
  const answers = await askBucket(box);
  const rows = [...placeRows(box.bucket, answers), objectLock(s3.level, answers.lock)];
  const wrong = rows.filter(({ verdict }) => verdict === "not fit");
  if (wrong.length === 0) {
    const where = `${s3.bucket}, ${s3.provider} ${s3.region}, ${s3.level}`;
    return [fit(`${where}: antwoordt`, `${where}: answers`)];
  }
  return wrong.map(({ what, verdict, says, todo }) => ({
    verdict,
    says: { nl: `${what}: ${says.nl}`, en: `${what}: ${says.en}` },
    todo,
  }));
}

/** The bucket, asked as whoever `credential` names. */
export async function openCalls(
  s3: S3Settings,
  state: string,
  credential: string,
): Promise<S3Calls> {
  // The SDK takes long to load, for nothing where the vault is a folder.
  const { openS3Calls } = await import("../../storage/vault/s3-calls.ts");
  const certificate = s3.certificate && (await readFile(s3.certificate, "utf8"));
  return openS3Calls({ ...bucketOf(s3), certificate }, await readCredential(credential, state));
}
