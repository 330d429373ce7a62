import { createHash } from "node:crypto";
import type { CiphertextSha256 } from "#base/ids";
import { type Instant, instant, SECOND_MS } from "#base/time";
import { noAnswer } from "./s3-errors.ts";

/** As buckets without versions name the only one. */
export const UNVERSIONED = "null";

/** An ETag without the quotes that most providers put around it. */
export function unquoted(etag: string | undefined): string {
  return (etag ?? "").replaceAll('"', "");
}

export function base64Of(hex: CiphertextSha256): string {
  return Buffer.from(hex, "hex").toString("base64");
}

/** Providers keep whole seconds; a lock must not end before it should. */
export function wholeSecond(at: Instant): Date {
  return new Date(Math.ceil(at / SECOND_MS) * SECOND_MS);
}

/** A lock that a break-glass credential can take off, and nobody else. */
export function governance(until: Instant) {
  return { ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: wholeSecond(until) } as const;
}

/** What a provider gave as a moment; 1970 where it gave none, or one before that. */
export function instantIn(date: Date | undefined): Instant {
  return instant(Math.max(0, date?.getTime() ?? 0));
}

/** What a provider gave as a size. @throws BewaardError VAULT_UNAVAILABLE for what is none. */
export function sizeIn(size: number | undefined, what: string): number {
  if (size === undefined || !Number.isSafeInteger(size) || size < 0) throw noAnswer(what);
  return size;
}

/** When an answer was given, by who gave it; undefined where its `Date` says nothing. */
export function dateOf(response: unknown): Instant | undefined {
  const at = Date.parse(headerOf(response, "date") ?? "");
  return at >= 0 ? instant(at) : undefined;
}

/** A header of an answer, by its name in small letters. */
export function headerOf(response: unknown, name: string): string | undefined {
  const headers: readonly [string, unknown][] = Object.entries(headersOf(response));
  const found = headers.find(([one]) => one.toLowerCase() === name)?.[1];
  return typeof found === "string" ? found : undefined;
}

/** The request or answer of a middleware, as far as headers go. @throws TypeError when it is none. */
function headersOf(request: unknown): object {
  if (typeof request === "object" && request !== null && "headers" in request) {
    const { headers } = request;
    if (typeof headers === "object" && headers !== null) return headers;
  }
  throw new TypeError("not a request");
}

export function setHeader(request: unknown, name: string, value: string): void {
  Object.assign(headersOf(request), { [name]: value });
}

/** Swift takes no other checksum on the body of DeleteObjects; everybody takes this one. */
export function setContentMd5(request: unknown): void {
  const headers = headersOf(request);
  for (const name of Object.keys(headers))
    if (/^x-amz-(?:sdk-)?checksum/i.test(name)) Reflect.deleteProperty(headers, name);
  const body = typeof request === "object" && request !== null && "body" in request && request.body;
  if (typeof body !== "string" && !(body instanceof Uint8Array)) throw new TypeError("no body");
  setHeader(request, "content-md5", createHash("md5").update(body).digest("base64"));
}
