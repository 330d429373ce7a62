import { BewaardError } from "#base/errors";
import type { Config } from "../../config/schema.ts";
import type { Credential } from "../../storage/vault/bucket.ts";
import { openS3Calls } from "../../storage/vault/s3-calls.ts";
import type { ObjectVersion } from "../../storage/vault/vault.ts";
import { bucketOf } from "../bucket-of.ts";

/** Tries to delete one version, past every rule of this program; gives the bucket's own word for its refusal. */
export async function deleteAttempt(
  { vault }: Config,
  credential: Credential,
  { key, versionId }: ObjectVersion,
): Promise<string> {
  if ("directory" in vault) throw new TypeError("a directory refuses nobody");
  await using calls = openS3Calls(bucketOf(vault.s3), credential);
  try {
    const [refused] = await calls.deleteVersions([{ key, versionId }]);
    return refused?.code ?? "weg / gone";
  } catch (error) {
    if (!(error instanceof BewaardError)) throw error;
    return /AccessDenied/.exec(error.message)?.[0] ?? error.message;
  }
}
