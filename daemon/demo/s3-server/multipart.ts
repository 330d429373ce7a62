import { randomUUID } from "node:crypto";
import { bucketOf, type Call, type Reply } from "./call.ts";
import { algorithmOf, needDigest } from "./digests.ts";
import { lockFor, wishOf } from "./lock.ts";
import { authorizeLocks } from "./put-object.ts";
import { receive } from "./receive.ts";
import { Refusal } from "./refusal.ts";
import type { Upload } from "./state.ts";
import { factsOf, sumHeaders } from "./versions.ts";
import { documentOf, el } from "./xml.ts";

const MOST_PARTS = 10_000;

/** CreateMultipartUpload. */
export function createUpload(call: Call): Reply {
  const { clock, keep, request, quirks } = call;
  const bucket = bucketOf(call);
  const { key } = request;
  const wish = quirks.locksAtUploadStart
    ? wishOf(request)
    : { held: undefined, retention: undefined };
  authorizeLocks(call, bucket, wish);
  lockFor(call, bucket, wish);
  const algorithm = algorithmOf(call);
  const id = randomUUID();
  keep.make({
    kind: "upload",
    upload: {
      id,
      bucket: request.bucket,
      key,
      atMs: clock.now(),
      facts: factsOf(request),
      ...(algorithm === undefined ? {} : { algorithm }),
      ...(wish.held === undefined ? {} : { held: wish.held }),
      ...(wish.retention === undefined ? {} : { retention: wish.retention }),
    },
  });
  return {
    body: documentOf("InitiateMultipartUploadResult", ...where(call), el("UploadId", id)),
    headers: algorithm === undefined ? {} : { "x-amz-checksum-algorithm": algorithm.toUpperCase() },
  };
}

/** UploadPart. A part that is sent again replaces the one before. */
export async function uploadPart(call: Call): Promise<Reply> {
  const { keep, request, quirks } = call;
  const bucket = bucketOf(call);
  const upload = uploadOf(call);
  const number = Number(request.query.get("partNumber"));
  if (!Number.isInteger(number) || number < 1 || number > MOST_PARTS) {
    throw new Refusal(400, "InvalidArgument", "Part number must be between 1 and 10000");
  }
  const locks =
    upload.held !== undefined || upload.retention !== undefined || bucket.settings.lock?.days;
  if (quirks.needsDigest && locks) needDigest(request);
  const piece = await receive(call, upload.algorithm);
  const still = keep.state.uploads.get(upload.id);
  if (still === undefined) {
    await keep.discard([piece]);
    throw new Refusal(404, "NoSuchUpload");
  }
  const before = still.parts.get(number);
  keep.make({ kind: "part", upload: upload.id, number, piece });
  if (before !== undefined) await keep.discard([before]);
  return { headers: { etag: `"${piece.md5}"`, ...sumHeaders(piece.sums) } };
}

/** AbortMultipartUpload. */
export async function abortUpload(call: Call): Promise<Reply> {
  bucketOf(call);
  const upload = uploadOf(call);
  await endUpload(call, upload);
  return { status: 204 };
}

export async function endUpload({ keep }: Pick<Call, "keep">, upload: Upload): Promise<void> {
  keep.make({ kind: "upload gone", upload: upload.id });
  await keep.discard(upload.parts.values());
}

export function uploadOf({ keep, request }: Call): Upload {
  const upload = keep.state.uploads.get(request.query.get("uploadId") ?? "");
  if (upload?.bucket !== request.bucket || upload.key !== request.key) {
    throw new Refusal(404, "NoSuchUpload");
  }
  return upload;
}

/** What an answer about an upload begins with. */
export function where({ request }: Call) {
  return [el("Bucket", request.bucket), el("Key", request.key)];
}
