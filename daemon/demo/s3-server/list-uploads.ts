import { bucketOf, type Call, type Reply } from "./call.ts";
import { headOf, isoDate, listWishOf, MOST } from "./list-form.ts";
import { uploadOf } from "./multipart.ts";
import { Refusal } from "./refusal.ts";
import { documentOf, el } from "./xml.ts";

/** ListMultipartUploads, a page at a time. */
export function listUploads(call: Call): Reply {
  const bucket = bucketOf(call);
  const { query } = call.request;
  const wish = listWishOf(query, "max-uploads");
  const after = `${query.get("key-marker") ?? ""}\0${query.get("upload-id-marker") ?? "\uffff"}`;
  const found = [...call.keep.state.uploads.values()]
    .filter((upload) => upload.bucket === call.request.bucket)
    .filter(({ key }) => key.startsWith(wish.prefix))
    .map((upload) => ({ ...upload, place: `${upload.key}\0${upload.id}` }))
    .filter(({ place }) => !query.has("key-marker") || place > after)
    .toSorted((one, other) => (one.place < other.place ? -1 : 1));
  const page = found.slice(0, wish.most);
  const more = found.length > page.length;
  const last = page.at(-1);
  return {
    body: documentOf(
      "ListMultipartUploadsResult",
      ...headOf(bucket, wish, "MaxUploads", more),
      more && last !== undefined
        ? [el("NextKeyMarker", wish.shown(last.key)), el("NextUploadIdMarker", last.id)]
        : undefined,
      page.map(({ key, id, atMs }) => {
        const began = el("Initiated", isoDate(atMs));
        return el("Upload", el("Key", wish.shown(key)), el("UploadId", id), began);
      }),
    ),
  };
}

/** ListParts, a page at a time. */
export function listParts(call: Call): Reply {
  bucketOf(call);
  const id = call.request.query.get("uploadId") ?? "";
  if (!call.quirks.uploadGone && !call.keep.state.uploads.has(id)) {
    throw new Refusal(404, "NoSuchKey");
  }
  const upload = uploadOf(call);
  const { query } = call.request;
  const most = Math.min(Number(query.get("max-parts") ?? MOST), MOST);
  const after = Number(query.get("part-number-marker") ?? 0);
  const found = [...upload.parts]
    .filter(([number]) => number > after)
    .toSorted(([one], [other]) => one - other);
  const page = found.slice(0, most);
  const more = found.length > page.length;
  return {
    body: documentOf(
      "ListPartsResult",
      el("Bucket", upload.bucket),
      el("Key", upload.key),
      el("UploadId", upload.id),
      el("IsTruncated", more),
      more ? el("NextPartNumberMarker", page.at(-1)?.[0] ?? 0) : undefined,
      page.map(([number, { md5, bytes }]) => {
        const tag = el("ETag", `"${md5}"`);
        const at = el("LastModified", isoDate(upload.atMs));
        return el("Part", el("PartNumber", number), at, tag, el("Size", bytes));
      }),
    ),
  };
}
