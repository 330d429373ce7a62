import { randomBytes } from "node:crypto";
import type { Clock } from "#base/time";
import { mayDo } from "./authorize.ts";
import type { Call } from "./call.ts";
import type { Keep } from "./keep.ts";
import { denied, Refusal } from "./refusal.ts";
import { headersFrom, type S3Request } from "./request.ts";
import type { Bucket, Version } from "./state.ts";

export function newestOf(bucket: Bucket, key: string): Version | undefined {
  return bucket.versions.get(key)?.[0];
}

export function versionOf(bucket: Bucket, key: string, id: string): Version | undefined {
  return bucket.versions.get(key)?.find((version) => version.id === id);
}

/**
 * The version that a request names, or the newest; never a delete marker.
 * @throws Refusal NoSuchKey or NoSuchVersion – AccessDenied for who may not know what is missing.
 */
export function askedVersion(call: Call, bucket: Bucket): Version {
  const { key, query } = call.request;
  const id = query.get("versionId");
  const found = id === null ? newestOf(bucket, key) : versionOf(bucket, key, id);
  if (found !== undefined && !found.marker) return found;
  const { versionGone } = call.quirks;
  const marked: Record<string, string> =
    found === undefined ? {} : { "x-amz-delete-marker": "true", "x-amz-version-id": found.id };
  if (found !== undefined && id !== null && versionGone) {
    throw new Refusal(405, "MethodNotAllowed", "MethodNotAllowed", marked);
  }
  if (!mayDo(call, bucket, "s3:ListBucket", "")) throw denied();
  throw new Refusal(
    404,
    id === null || !versionGone ? "NoSuchKey" : "NoSuchVersion",
    "not there",
    marked,
  );
}

/**
 * Adds a version as the newest of its key. Where the bucket keeps no versions, what was there goes.
 * Everything until the change is made is one turn, so that of two writers one is first.
 */
export async function addVersion(
  clock: Clock,
  keep: Keep,
  bucket: Bucket,
  version: Omit<Version, "id" | "atMs">,
): Promise<Version> {
  const { name, versioning } = bucket.settings;
  const id = versioning === "Enabled" ? randomBytes(16).toString("hex") : "null";
  const replaced = id === "null" ? versionOf(bucket, version.key, id) : undefined;
  if (replaced !== undefined) {
    keep.make({ kind: "version gone", bucket: name, key: replaced.key, id });
  }
  const added = { ...version, id, atMs: clock.now() };
  keep.make({ kind: "version", bucket: name, version: added });
  if (replaced !== undefined) await keep.discard(replaced.pieces);
  return added;
}

/** Takes a version away, whatever its lock. */
export async function removeVersion(keep: Keep, bucket: Bucket, version: Version): Promise<void> {
  const { key, id } = version;
  keep.make({ kind: "version gone", bucket: bucket.settings.name, key, id });
  await keep.discard(version.pieces);
}

/** @throws Refusal PreconditionFailed, as If-None-Match and If-Match of a write ask. */
export function checkConditions(request: S3Request, newest: Version | undefined): void {
  const there = newest !== undefined && !newest.marker ? newest : undefined;
  const failed = new Refusal(412, "PreconditionFailed");
  if (request.header("if-none-match") === "*" && there !== undefined) throw failed;
  const match = request.header("if-match");
  if (match === undefined) return;
  if (there === undefined) throw new Refusal(404, "NoSuchKey");
  if (match !== "*" && match.replaceAll('"', "") !== there.etag) throw failed;
}

/** Headers that are kept with an object and given back. */
export function factsOf(request: S3Request): Record<string, string> {
  const facts = headersFrom(request, "x-amz-meta-");
  for (const name of ["content-type", "cache-control", "content-disposition"]) {
    const value = request.header(name);
    if (value !== undefined) facts[name] = value;
  }
  return facts;
}

export function idHeader(bucket: Bucket, id: string): Record<string, string> {
  return bucket.settings.versioning === undefined ? {} : { "x-amz-version-id": id };
}

export function sumHeaders(sums: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(sums).map(([name, value]) => [`x-amz-checksum-${name}`, value]),
  );
}
