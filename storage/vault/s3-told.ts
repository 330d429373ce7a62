import { BewaardError } from "#base/errors";
import { MINUTE_MS } from "#base/time";
import type { NotTold } from "./s3-answers.ts";
import { inVaultWords, refusalOf } from "./s3-errors.ts";

/** A short question must be answered within this, however slowly the bytes drip in. */
const ANSWER_MS = MINUTE_MS;

/** `doing`, its failure said in the vault's words. */
export async function told<T>(what: string, doing: Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await doing;
  } catch (error) {
    throw inVaultWords(error, what, signal);
  }
}

export const SHORT = { requestTimeout: ANSWER_MS };
export const NOT_TOLD: NotTold = "not told";

/** What a provider calls it when a setting was never made. Not to be taken for a missing bucket or version. */
const NEVER_SET = new Set([
  "NoSuchBucketPolicy",
  "NoSuchLifecycleConfiguration",
  "NoSuchObjectLockConfiguration",
  "NoSuchPublicAccessBlockConfiguration",
  "ObjectLockConfigurationNotFoundError",
  "ReplicationConfigurationNotFoundError",
  "ServerSideEncryptionConfigurationNotFoundError",
]);

/** As `told`; undefined where it was never set. */
export async function orNone<T>(what: string, doing: Promise<T>): Promise<T | undefined> {
  try {
    return await doing;
  } catch (error) {
    if (NEVER_SET.has(refusalOf(error)?.code ?? "")) return undefined;
    throw inVaultWords(error, what);
  }
}

export async function orNotTold<T>(what: string, doing: Promise<T>): Promise<T | NotTold> {
  try {
    return await doing;
  } catch (error) {
    const cause = error instanceof BewaardError ? error.cause : error;
    const { code, status } = refusalOf(cause) ?? { code: "", status: 0 };
    if (status === 501 || status === 405 || code === "NotImplemented") return NOT_TOLD;
    throw inVaultWords(error, what);
  }
}
