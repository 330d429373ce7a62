import { createHash } from "node:crypto";
import { bucketOf, type Call, type Reply } from "./call.ts";
import { lockFor } from "./lock.ts";
import { uploadOf, where } from "./multipart.ts";
import { malformed, Refusal } from "./refusal.ts";
import type { Piece, Upload } from "./state.ts";
import { addVersion, checkConditions, idHeader, newestOf } from "./versions.ts";
import { childrenOf, documentOf, el, parseXml, textOf } from "./xml.ts";

const SMALLEST_PART_BYTES = 5 * 1024 * 1024;

/** CompleteMultipartUpload. */
export async function completeUpload(call: Call): Promise<Reply> {
  const { clock, keep, request, quirks } = call;
  const bucket = bucketOf(call);
  const id = request.query.get("uploadId") ?? "";
  const before = quirks.uploadGone ? undefined : keep.state.completed.get(id);
  if (before !== undefined) return completed(call, before);
  if (!quirks.uploadGone && !keep.state.uploads.has(id)) throw new Refusal(500, "InternalError");
  const upload = uploadOf(call);
  const pieces = chosen(call.text, upload);
  if (quirks.completeOnce) checkConditions(request, newestOf(bucket, request.key));
  const lock = lockFor(call, bucket, { held: upload.held, retention: upload.retention });
  const tag = createHash("md5");
  for (const { md5 } of pieces) tag.update(Buffer.from(md5, "hex"));
  const etag = `${tag.digest("hex")}-${pieces.length}`;
  const sums = composite(upload, pieces);
  keep.make({ kind: "upload gone", upload: id, etag });
  const version = await addVersion(clock, keep, bucket, {
    key: request.key,
    marker: false,
    ...(call.caller === undefined ? {} : { writer: call.caller }),
    pieces: [...pieces],
    bytes: pieces.reduce((sum, { bytes }) => sum + bytes, 0),
    etag,
    facts: upload.facts,
    sums,
    ...lock,
  });
  await keep.discard([...upload.parts.values()].filter((part) => !pieces.includes(part)));
  const told = completed(call, quirks.completeTellsTag ? etag : "", sums["sha256"]);
  return { ...told, headers: idHeader(bucket, version.id) };
}

/** The parts that Complete names, in its order. */
function chosen(text: string, upload: Upload): readonly Piece[] {
  const named = childrenOf(parseXml(text), "Part");
  if (named.length === 0) throw malformed();
  let last = 0;
  return named.map((part, at) => {
    const number = Number(textOf(part, "PartNumber"));
    const piece = upload.parts.get(number);
    const tag = textOf(part, "ETag")?.replaceAll('"', "");
    if (piece === undefined || piece.md5 !== tag) throw new Refusal(400, "InvalidPart");
    if (number <= last) throw new Refusal(400, "InvalidPartOrder");
    last = number;
    const small = at < named.length - 1 && piece.bytes < SMALLEST_PART_BYTES;
    if (small) throw new Refusal(400, "EntityTooSmall");
    return piece;
  });
}

/** A checksum over the parts' checksums: it is not the object's own. */
function composite(upload: Upload, pieces: readonly Piece[]): Record<string, string> {
  if (upload.algorithm !== "sha256") return {};
  const hash = createHash("sha256");
  for (const { sums } of pieces) hash.update(Buffer.from(sums["sha256"] ?? "", "base64"));
  return { sha256: `${hash.digest("base64")}-${pieces.length}` };
}

function completed(call: Call, etag: string, sha256?: string): Reply {
  const tag = el("ETag", etag === "" ? "" : `"${etag}"`);
  const sum = sha256 === undefined ? [] : [el("ChecksumSHA256", sha256)];
  return { body: documentOf("CompleteMultipartUploadResult", ...where(call), tag, sum) };
}
