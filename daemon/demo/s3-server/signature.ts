import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { systemClock } from "#base/system-clock";
import { type Clock, MINUTE_MS, SECOND_MS } from "#base/time";
import { denied, Refusal } from "./refusal.ts";
import { decoded, type S3Request } from "./request.ts";

/** Somebody with keys of his own. `name` is what policies call him: `arn:aws:iam:::user/<name>`. */
export interface S3User {
  readonly name: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Who asks, and what the signature says the body's SHA-256 is (or that it says nothing). */
export interface Signed {
  readonly caller: string | undefined;
  readonly payload: string;
}

interface Claim {
  readonly credential: string;
  readonly signedHeaders: string;
  readonly signature: string;
  /** `20261122T160300Z` */
  readonly date: string;
  readonly payload: string;
  /** Milliseconds after `date` until which the signature holds. */
  readonly holdsMs: number;
}

const UNSIGNED = "UNSIGNED-PAYLOAD";
const SKEW_MS = 15 * MINUTE_MS;

/**
 * Checks AWS Signature Version 4 in the header or the query; without any, nobody in particular asks.
 * @throws Refusal when the key is not known, the signature is not its, or its time is not now.
 */
export function checkSignature(clock: Clock, users: readonly S3User[], request: S3Request): Signed {
  const claim = claimOf(request);
  if (claim === undefined) return { caller: undefined, payload: UNSIGNED };
  const [accessKeyId = "", day = "", region = "", service = ""] = claim.credential.split("/");
  const user = users.find((one) => one.accessKeyId === accessKeyId);
  if (user === undefined) throw new Refusal(403, "InvalidAccessKeyId");
  checkTime(clock, claim, request);
  const scope = `${day}/${region}/${service}/aws4_request`;
  const asked = createHash("sha256").update(canonical(request, claim)).digest("hex");
  let key: string | Buffer = `AWS4${user.secretAccessKey}`;
  for (const step of [day, region, service, "aws4_request"]) key = hmac(key, step);
  const right = hmac(key, `AWS4-HMAC-SHA256\n${claim.date}\n${scope}\n${asked}`);
  const given = Buffer.from(claim.signature, "hex");
  if (given.length !== right.length || !timingSafeEqual(given, right)) {
    throw new Refusal(403, "SignatureDoesNotMatch");
  }
  return { caller: user.name, payload: claim.payload };
}

function claimOf(request: S3Request): Claim | undefined {
  const header = request.header("authorization");
  if (header !== undefined) {
    const form =
      /^AWS4-HMAC-SHA256 Credential=([^,]+),\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]+)$/;
    const [, credential, signedHeaders, signature] = form.exec(header) ?? [];
    const date = request.header("x-amz-date");
    if (!credential || !signedHeaders || !signature || !date) {
      throw new Refusal(400, "AuthorizationHeaderMalformed");
    }
    const payload = request.header("x-amz-content-sha256") ?? UNSIGNED;
    return { credential, signedHeaders, signature, date, payload, holdsMs: SKEW_MS };
  }
  const asked = (name: string): string => request.query.get(`X-Amz-${name}`) ?? "";
  if (asked("Signature") === "") return undefined;
  return {
    credential: asked("Credential"),
    signedHeaders: asked("SignedHeaders"),
    signature: asked("Signature"),
    date: asked("Date"),
    payload: request.query.get("X-Amz-Content-Sha256") ?? UNSIGNED,
    holdsMs: Number(asked("Expires")) * SECOND_MS,
  };
}

/** Who signs by the machine's own clock is heard too: the demo's server lives in simulated time. */
function checkTime(clock: Clock, claim: Claim, request: S3Request): void {
  const form = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;
  const at = Date.parse(claim.date.replace(form, "$1-$2-$3T$4:$5:$6Z"));
  const fits = (now: number): boolean => at - SKEW_MS <= now && now <= at + claim.holdsMs;
  if (fits(clock.now()) || fits(systemClock.now())) return;
  if (request.header("authorization") === undefined) throw denied("Request has expired");
  throw new Refusal(403, "RequestTimeTooSkewed");
}

function canonical(request: S3Request, claim: Claim): string {
  const names = claim.signedHeaders.split(";");
  const headers = names.map(
    (name) => `${name}:${(request.header(name) ?? "").trim().replaceAll(/ +/g, " ")}`,
  );
  const query = [...request.query]
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .toSorted();
  const path = request.path.split("/").map((part) => encoded(decoded(part)));
  return [
    request.method,
    path.join("/"),
    query.join("&"),
    ...headers,
    "",
    claim.signedHeaders,
    claim.payload,
  ].join("\n");
}

/** As SigV4 wants it: everything but letters, digits, `-`, `.`, `_` and `~`. */
export function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
