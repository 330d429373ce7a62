import { BewaardError, systemCode } from "#base/errors";

// The SDK's errors in the vault's words, told apart by the name and status that came with the answer.
// Messages carry the provider's code and nothing of the request: that could be signed.

/** What the provider answered: its code, and the HTTP status. */
export interface Refusal {
  readonly code: string;
  readonly status: number;
}

const BUSY = new Set([
  "ConditionalRequestConflict",
  "IncompleteBody",
  "InternalError",
  "OperationAborted",
  "RequestTimeout",
  "ServiceUnavailable",
  "SlowDown",
  "Throttling",
]);
const NOT_THE_BYTES = new Set([
  "BadChecksum",
  "BadDigest",
  "InvalidDigest",
  "XAmzContentChecksumMismatch",
  "XAmzContentSHA256Mismatch",
]);
const NO_ROOM = new Set([
  "InsufficientStorage",
  "QuotaExceeded",
  "StorageFull",
  "XMinioStorageFull",
]);
const ELSEWHERE = new Set([
  "AuthorizationHeaderMalformed",
  "IllegalLocationConstraintException",
  "PermanentRedirect",
  "Redirect",
  "TemporaryRedirect",
]);
const WRONG_TIME = new Set(["RequestExpired", "RequestTimeTooSkewed"]);

/** What the provider answered, or undefined when `error` is no answer of a provider. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof Error) || !("$metadata" in error)) return undefined;
  const told: unknown = error.$metadata;
  if (typeof told !== "object" || told === null || !("httpStatusCode" in told)) return undefined;
  if (typeof told.httpStatusCode !== "number") return undefined;
  return { code: /^\w{1,60}$/.test(error.name) ? error.name : "?", status: told.httpStatusCode };
}

/**
 * What was thrown by the SDK, as a BewaardError about `what` (a key, or the bucket). A bug stays what it was,
 * and so does what `signal` was aborted for.
 */
export function inVaultWords(error: unknown, what: string, signal?: AbortSignal): unknown {
  if (error instanceof BewaardError) return error;
  if (signal?.aborted === true) return signal.reason;
  const refusal = refusalOf(error);
  if (refusal) return answered(refusal, what, error);
  const code = networkCode(error);
  if (code === undefined) return error;
  return unavailable(`${what}: the vault does not answer (${code})`, error);
}

function answered({ code, status }: Refusal, what: string, cause: unknown): BewaardError {
  const told = `${status} ${code}`;
  if (ELSEWHERE.has(code) || (status >= 300 && status < 400)) {
    const message = `${what}: the endpoint says that the bucket is elsewhere (${told})`;
    return new BewaardError("VAULT_OUTSIDE_EEA", message, { transient: true, cause });
  }
  if (WRONG_TIME.has(code))
    return unavailable(`${what}: this machine's clock is wrong, says the vault (${told})`, cause);
  if (NO_ROOM.has(code) || status === 507) {
    const message = `${what}: the vault is full (${told})`;
    return new BewaardError("VAULT_FULL", message, { transient: true, cause });
  }
  if (NOT_THE_BYTES.has(code)) {
    const message = `${what}: the bytes that arrived are not the ones that were sealed (${told})`;
    return new BewaardError("VAULT_CORRUPT", message, { cause });
  }
  if (BUSY.has(code) || status === 429 || (status >= 500 && status !== 501))
    return unavailable(`${what}: the vault does not answer now (${told})`, cause);
  // As a share that is not mounted: nothing in it was destroyed.
  if (code === "NoSuchBucket") {
    const message = `${what}: there is no such bucket (${told})`;
    return new BewaardError("VAULT_IDENTITY", message, { transient: true, cause });
  }
  if (status === 404)
    return new BewaardError("VAULT_NOT_FOUND", `${what}: not in the vault (${told})`, { cause });
  // An answer that says all is well and cannot be read: something stands between us and the vault.
  if (status < 300) return unavailable(`${what}: the vault's answer is none (${told})`, cause);
  return new BewaardError("VAULT_DENIED", `${what}: the vault refuses (${told})`, { cause });
}

/** What says all is well and does not say what was asked: something stands between us and the vault. */
export function noAnswer(what: string): BewaardError {
  return unavailable(`${what}: the vault's answer is none`);
}

/** Nothing is put where whoever may put replaces what is there. */
export function noVersions(bucket: string): BewaardError {
  const message = `${bucket} keeps no versions: whoever writes there could replace footage`;
  return new BewaardError("VAULT_NO_HOLDS", message, { transient: true });
}

function unavailable(message: string, cause?: unknown): BewaardError {
  return new BewaardError("VAULT_UNAVAILABLE", message, { transient: true, cause });
}

/** Undefined for what did not come from the network. */
function networkCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name === "TimeoutError") return "timeout";
  // What the SDK could not read as XML.
  if ("$response" in error) return "no answer";
  // Wrong arguments have codes too, and are ours.
  if (error instanceof TypeError || error instanceof RangeError) return undefined;
  return systemCode(error);
}
