import { bucketOf, type Call, type Reply } from "./call.ts";
import { headOf, isoDate, listWishOf, sizeOf, sortedKeys } from "./list-form.ts";
import type { Version } from "./state.ts";
import { documentOf, el } from "./xml.ts";

/** ListObjectVersions, newest of each key first; pages may end inside a key. */
export function listVersions(call: Call): Reply {
  const bucket = bucketOf(call);
  const { query } = call.request;
  const wish = listWishOf(query, "max-keys");
  const keyMarker = query.get("key-marker") ?? "";
  const idMarker = query.get("version-id-marker") ?? "";
  const page: { version: Version; latest: boolean }[] = [];
  let more = false;
  for (const key of sortedKeys(bucket)) {
    if (more) break;
    if (!key.startsWith(wish.prefix) || key < keyMarker) continue;
    const versions = bucket.versions.get(key) ?? [];
    let skip = 0;
    if (key === keyMarker) {
      if (idMarker === "") continue;
      skip = versions.findIndex(({ id }) => id === idMarker) + 1;
    }
    for (const [at, version] of versions.entries()) {
      if (at < skip) continue;
      if (page.length === wish.most) more = true;
      else page.push({ version, latest: at === 0 });
    }
  }
  const last = page.at(-1)?.version;
  return {
    body: documentOf(
      "ListVersionsResult",
      ...headOf(bucket, wish, "MaxKeys", more),
      more && last !== undefined
        ? [el("NextKeyMarker", wish.shown(last.key)), el("NextVersionIdMarker", last.id)]
        : undefined,
      page.map(({ version, latest }) => {
        const id = [el("VersionId", version.id), el("IsLatest", latest)];
        const key = el("Key", wish.shown(version.key));
        return version.marker
          ? el("DeleteMarker", key, id, el("LastModified", isoDate(version.atMs)))
          : el("Version", key, id, sizeOf(version));
      }),
    ),
  };
}
