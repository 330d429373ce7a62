import type { Bucket, Change, State } from "./state.ts";

/** Makes one change, live or read back from the journal. What it does not know of, it leaves. */
export function applyChange(state: State, change: Change): void {
  switch (change.kind) {
    case "bucket": {
      const bucket = state.buckets.get(change.settings.name);
      if (bucket !== undefined) bucket.settings = change.settings;
      else {
        const { settings } = change;
        state.buckets.set(settings.name, { settings, versions: new Map(), sorted: undefined });
      }
      return;
    }
    case "bucket gone":
      state.buckets.delete(change.bucket);
      return;
    case "version":
      addVersion(state.buckets.get(change.bucket), change);
      return;
    case "version gone":
      removeVersion(state.buckets.get(change.bucket), change);
      return;
    case "upload":
      state.uploads.set(change.upload.id, { ...change.upload, parts: new Map() });
      return;
    case "part":
      state.uploads.get(change.upload)?.parts.set(change.number, change.piece);
      return;
    case "upload gone":
      state.uploads.delete(change.upload);
      if (change.etag !== undefined) state.completed.set(change.upload, change.etag);
      return;
  }
}

function addVersion(bucket: Bucket | undefined, { version }: Change & { kind: "version" }): void {
  if (bucket === undefined) return;
  const versions = bucket.versions.get(version.key);
  if (versions === undefined) {
    bucket.versions.set(version.key, [version]);
    bucket.sorted = undefined;
    return;
  }
  const same = versions.findIndex(({ id }) => id === version.id);
  if (same < 0) versions.unshift(version);
  else versions[same] = version;
}

function removeVersion(
  bucket: Bucket | undefined,
  { key, id }: Change & { kind: "version gone" },
): void {
  const versions = bucket?.versions.get(key);
  if (bucket === undefined || versions === undefined) return;
  const left = versions.filter((version) => version.id !== id);
  if (left.length > 0) bucket.versions.set(key, left);
  else {
    bucket.versions.delete(key);
    bucket.sorted = undefined;
  }
}
