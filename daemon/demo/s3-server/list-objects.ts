import { bucketOf, type Call, type Reply } from "./call.ts";
import { headOf, type ListWish, listWishOf, sizeOf, sortedKeys } from "./list-form.ts";
import type { Bucket, Version } from "./state.ts";
import { documentOf, el } from "./xml.ts";

/** ListObjects and ListObjectsV2. */
export function listObjects(call: Call): Reply {
  const bucket = bucketOf(call);
  const { query } = call.request;
  const wish = listWishOf(query, "max-keys");
  const token = query.get("continuation-token");
  const start = query.get("start-after") ?? query.get("marker") ?? "";
  const after = token === null ? start : Buffer.from(token, "base64url").toString("utf8");
  const found = keysAfter(bucket, wish, after);
  const page = found.slice(0, wish.most);
  const more = found.length > page.length;
  const last = page.at(-1)?.name ?? "";
  return {
    body: documentOf(
      "ListBucketResult",
      ...headOf(bucket, wish, "MaxKeys", more),
      el("KeyCount", page.length),
      more ? el("NextContinuationToken", Buffer.from(last).toString("base64url")) : undefined,
      more ? el("NextMarker", wish.shown(last)) : undefined,
      page.map(({ name, version }) =>
        version === undefined
          ? el("CommonPrefixes", el("Prefix", wish.shown(name)))
          : el("Contents", el("Key", wish.shown(name)), sizeOf(version)),
      ),
    ),
  };
}

/** Keys that have an object now, after `after`; what lies behind a delimiter is one name. */
function keysAfter(bucket: Bucket, wish: ListWish, after: string) {
  const found: { name: string; version: Version | undefined }[] = [];
  for (const key of sortedKeys(bucket)) {
    if (!key.startsWith(wish.prefix)) continue;
    const version = bucket.versions.get(key)?.[0];
    if (version === undefined || version.marker) continue;
    const end = wish.delimiter === "" ? -1 : key.indexOf(wish.delimiter, wish.prefix.length);
    const name = end < 0 ? key : key.slice(0, end + wish.delimiter.length);
    if (name <= after || found.at(-1)?.name === name) continue;
    found.push({ name, version: end < 0 ? version : undefined });
    // One more than a page tells that there is more.
    if (found.length > wish.most) break;
  }
  return found;
}
