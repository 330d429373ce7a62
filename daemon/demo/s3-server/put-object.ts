import { authorize } from "./authorize.ts";
import { bucketOf, type Call, type Reply } from "./call.ts";
import { algorithmOf, needDigest } from "./digests.ts";
import {
  asKept,
  checkChange,
  checkFuture,
  type LockWish,
  lockFor,
  wantsBypass,
  wishIn,
  wishOf,
} from "./lock.ts";
import { receive } from "./receive.ts";
import { Refusal } from "./refusal.ts";
import type { Bucket, Version } from "./state.ts";
import {
  addVersion,
  askedVersion,
  checkConditions,
  factsOf,
  idHeader,
  newestOf,
  sumHeaders,
} from "./versions.ts";

/** PutObject. What is refused or broken off leaves nothing. */
export async function putObject(call: Call): Promise<Reply> {
  const { clock, keep, request, quirks } = call;
  const bucket = bucketOf(call);
  if (request.header("x-amz-copy-source") !== undefined) throw new Refusal(501, "NotImplemented");
  const wish = wishOf(request);
  authorizeLocks(call, bucket, wish);
  const lock = lockFor(call, bucket, wish);
  const locks = wish.held !== undefined || wish.retention !== undefined;
  if (quirks.needsDigest && locks) needDigest(request);
  const once = (): void => {
    // Ceph looks whether the new version is there, where there are versions.
    const blind = !quirks.onceAmongVersions && bucket.settings.versioning !== undefined;
    if (!blind || request.header("if-none-match") === undefined) {
      checkConditions(request, newestOf(bucketOf(call), request.key));
    }
  };
  once();
  const piece = await receive(call, algorithmOf(call));
  try {
    // Once more: another may have come first while the bytes did.
    once();
  } catch (error) {
    await keep.discard([piece]);
    throw error;
  }
  const { bytes, md5, sums } = piece;
  const version = await addVersion(clock, keep, bucket, {
    key: request.key,
    marker: false,
    ...(call.caller === undefined ? {} : { writer: call.caller }),
    pieces: [piece],
    bytes,
    etag: md5,
    facts: factsOf(request),
    sums,
    ...lock,
  });
  const told = { etag: `"${md5}"`, ...idHeader(bucket, version.id), ...sumHeaders(sums) };
  return { headers: told };
}

/** A lock in the headers needs the right to set that lock. */
export function authorizeLocks(call: Call, bucket: Bucket, wish: LockWish): void {
  const { key } = call.request;
  if (!call.quirks.lockRights) return;
  if (wish.held !== undefined) authorize(call, bucket, "s3:PutObjectLegalHold", key);
  if (wish.retention !== undefined) authorize(call, bucket, "s3:PutObjectRetention", key);
}

/** PutObjectLegalHold and PutObjectRetention. */
export function putLock(call: Call): Reply {
  const { clock, request, text } = call;
  const bucket = bucketOf(call);
  const version = askedVersion(call, bucket);
  if (bucket.settings.lock === undefined) {
    throw new Refusal(400, "InvalidRequest", "Bucket is missing Object Lock Configuration");
  }
  const wish = wishIn(text);
  if (request.query.has("legal-hold")) {
    if (wish.held === undefined) throw new Refusal(400, "MalformedXML");
    replace(call, bucket, { ...version, held: wish.held });
    return {};
  }
  checkFuture(clock, wish);
  const bypass = wantsBypass(call);
  if (bypass) authorize(call, bucket, "s3:BypassGovernanceRetention", request.key);
  checkChange(clock, version, wish.retention, bypass);
  const { retention: _, ...free } = version;
  const { retention } = wish;
  const locked = retention === undefined ? {} : { retention: asKept(call.quirks, retention) };
  replace(call, bucket, { ...free, ...locked });
  return {};
}

function replace({ keep }: Call, bucket: Bucket, version: Version): void {
  keep.make({ kind: "version", bucket: bucket.settings.name, version });
}
