import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { inVaultWords } from "../storage/vault/s3-errors.ts";

function refused(name: string, httpStatusCode: number): Error {
  return Object.assign(new Error("as signed: https://x?X-Amz-Signature=abc"), {
    name,
    $metadata: { httpStatusCode },
  });
}

function said(error: unknown): string {
  const seen = inVaultWords(error, "footage/a");
  if (!(seen instanceof BewaardError)) return "a bug";
  assert.doesNotMatch(seen.message, /Signature=/);
  return `${seen.code}${seen.transient ? " for now" : ""}`;
}

describe("what a bucket refuses, in the vault's words", () => {
  for (const [name, status, words] of [
    ["SlowDown", 503, "VAULT_UNAVAILABLE for now"],
    ["InternalError", 500, "VAULT_UNAVAILABLE for now"],
    ["Unknown", 502, "VAULT_UNAVAILABLE for now"],
    ["TooManyRequests", 429, "VAULT_UNAVAILABLE for now"],
    ["RequestTimeout", 400, "VAULT_UNAVAILABLE for now"],
    ["ConditionalRequestConflict", 409, "VAULT_UNAVAILABLE for now"],
    ["RequestTimeTooSkewed", 403, "VAULT_UNAVAILABLE for now"],
    ["AccessDenied", 403, "VAULT_DENIED"],
    ["SignatureDoesNotMatch", 403, "VAULT_DENIED"],
    ["InvalidRequest", 400, "VAULT_DENIED"],
    ["NotImplemented", 501, "VAULT_DENIED"],
    ["QuotaExceeded", 403, "VAULT_FULL for now"],
    ["Unknown", 507, "VAULT_FULL for now"],
    ["NoSuchKey", 404, "VAULT_NOT_FOUND"],
    ["NotFound", 404, "VAULT_NOT_FOUND"],
    ["NoSuchUpload", 404, "VAULT_NOT_FOUND"],
    ["NoSuchBucket", 404, "VAULT_IDENTITY for now"],
    ["BadDigest", 400, "VAULT_CORRUPT"],
    ["XAmzContentSHA256Mismatch", 400, "VAULT_CORRUPT"],
    ["PermanentRedirect", 301, "VAULT_OUTSIDE_EEA for now"],
    ["Unknown", 307, "VAULT_OUTSIDE_EEA for now"],
    ["AuthorizationHeaderMalformed", 400, "VAULT_OUTSIDE_EEA for now"],
    ["Unknown", 200, "VAULT_UNAVAILABLE for now"],
  ] as const) {
    it(`${status} ${name} is ${words}`, () => {
      assert.equal(said(refused(name, status)), words);
    });
  }

  it("takes the line for the line, and a bug for a bug", () => {
    const code = (value: string) => Object.assign(new Error("x"), { code: value });
    assert.equal(said(code("ECONNRESET")), "VAULT_UNAVAILABLE for now");
    assert.equal(said(code("CERT_HAS_EXPIRED")), "VAULT_UNAVAILABLE for now");
    assert.equal(
      said(Object.assign(new Error("x"), { name: "TimeoutError" })),
      "VAULT_UNAVAILABLE for now",
    );
    const unreadable = Object.assign(new TypeError("no XML"), { $response: {}, $metadata: {} });
    assert.equal(said(unreadable), "VAULT_UNAVAILABLE for now");
    assert.equal(said(Object.assign(new TypeError("x"), { code: "ERR_INVALID_ARG" })), "a bug");
    assert.equal(said(new Error("x")), "a bug");
  });

  it("gives back what a signal was aborted for, whatever the request made of it", () => {
    const stop = AbortSignal.abort(new Error("stopped"));
    assert.equal(inVaultWords(refused("AccessDenied", 403), "footage/a", stop), stop.reason);
  });
});
