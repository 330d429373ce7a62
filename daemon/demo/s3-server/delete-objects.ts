import { authorize, mayBypass } from "./authorize.ts";
import { bucketOf, type Call, type Reply } from "./call.ts";
import { needDigest } from "./digests.ts";
import { isLocked, wantsBypass } from "./lock.ts";
import { denied, malformed, Refusal } from "./refusal.ts";
import type { Bucket } from "./state.ts";
import { addVersion, idHeader, removeVersion, versionOf } from "./versions.ts";
import { childrenOf, documentOf, el, parseXml, textOf, type Xml } from "./xml.ts";

const MOST_KEYS = 1000;

/** What was done: the version that went, or the marker that came. */
interface Done {
  readonly id: string | undefined;
  readonly marker: boolean;
}

/** DeleteObject: a version by its id; without one, only a marker where the bucket keeps versions. */
export async function deleteObject(call: Call): Promise<Reply> {
  const bucket = bucketOf(call);
  const { key, query } = call.request;
  const { id, marker } = await deleteOne(call, bucket, key, query.get("versionId") ?? undefined);
  return {
    status: 204,
    headers: {
      ...(id === undefined ? {} : idHeader(bucket, id)),
      ...(marker ? { "x-amz-delete-marker": "true" } : {}),
    },
  };
}

/** DeleteObjects: 200 whatever happens; what was refused stands in its Errors. */
export async function deleteObjects(call: Call): Promise<Reply> {
  const bucket = bucketOf(call);
  if (!call.quirks.deleteByKey) authorize(call, bucket, "s3:DeleteObject", "");
  if (call.quirks.needsDigest) needDigest(call.request);
  const document = parseXml(call.text);
  const objects = childrenOf(document, "Object");
  if (objects.length === 0 || objects.length > MOST_KEYS) throw malformed();
  const quiet = textOf(document, "Quiet") === "true";
  const answers: Xml[] = [];
  for (const object of objects) {
    const key = textOf(object, "Key") ?? "";
    const asked = textOf(object, "VersionId");
    const named = [el("Key", key), ...(asked === undefined ? [] : [el("VersionId", asked)])];
    try {
      const done = await deleteOne(call, bucket, key, asked);
      const marker = done.marker
        ? [el("DeleteMarker", true), el("DeleteMarkerVersionId", done.id ?? "")]
        : [];
      if (!quiet) answers.push(el("Deleted", named, marker));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      answers.push(el("Error", named, el("Code", error.code), el("Message", error.message)));
    }
  }
  return { body: documentOf("DeleteResult", answers) };
}

async function deleteOne(
  call: Call,
  bucket: Bucket,
  key: string,
  id: string | undefined,
): Promise<Done> {
  const { clock, keep } = call;
  const { versioning } = bucket.settings;
  authorize(call, bucket, id === undefined ? "s3:DeleteObject" : "s3:DeleteObjectVersion", key);
  if (id === undefined && versioning === "Enabled") {
    return { id: (await addMarker(call, bucket, key)).id, marker: true };
  }
  const version = versionOf(bucket, key, id ?? "null");
  if (version === undefined) return { id, marker: false };
  const bypass = wantsBypass(call);
  if (bypass && !mayBypass(call, bucket, key)) throw denied();
  if (isLocked(clock, version, bypass)) {
    throw denied("Access Denied because object protected by object lock.");
  }
  await removeVersion(keep, bucket, version);
  return { id, marker: version.marker };
}

/** What makes an object seem gone. */
export function addMarker(
  { clock, keep }: Pick<Call, "clock" | "keep">,
  bucket: Bucket,
  key: string,
) {
  const nothing = { pieces: [], bytes: 0, etag: "", facts: {}, sums: {} };
  return addVersion(clock, keep, bucket, { key, marker: true, ...nothing });
}
