import { BewaardError } from "#base/errors";
import type { After, ListedVersion, S3Calls } from "./s3-answers.ts";
import { UNVERSIONED } from "./s3-values.ts";

const PAGE = 1000;

/** What lies under one key: versions newest first, and delete markers. */
export interface KeyListing {
  readonly key: string;
  readonly versions: readonly ListedVersion[];
  readonly markers: readonly ListedVersion[];
}

/**
 * Every key under `prefix` and behind `behind` with all its versions, in order of key. Where a page ends inside a key and the provider
 * cannot say at which version, that key is asked for by itself: a next page would not have the rest of it.
 */
export async function* keysUnder(
  calls: Pick<S3Calls, "listVersions">,
  prefix: string,
  signal: AbortSignal,
  behind = "",
  most = PAGE,
): AsyncGenerator<KeyListing, void, undefined> {
  let after: After | undefined = behind === "" ? undefined : { key: behind, versionId: undefined };
  let done = behind;
  let partly: readonly ListedVersion[] = [];
  for (;;) {
    signal.throwIfAborted();
    const page = await calls.listVersions(prefix, after, most);
    if (page.next && !proceeds(page.next, after, page.versions, partly))
      throw notProceeding(prefix);
    // Some begin at the marker's key, others after it.
    const news = page.versions.filter(({ key }) => key > done);
    const keys = byKey([...partly, ...news]);
    const last = page.next && keys.pop();
    yield* keys;
    if (!page.next) return;
    done = keys.at(-1)?.key ?? done;
    partly = last ? [...last.versions, ...last.markers] : [];
    let next = page.next;
    if (last && !saysWhere(page.next, page.versions)) {
      yield await keyByItself(calls, last.key);
      done = last.key;
      partly = [];
      next = { key: last.key, versionId: undefined };
    }
    after = next;
  }
}

/** Whether a next page will be further on: at a later key, or with a version of the same one that was not seen. */
function proceeds(
  next: After,
  after: After | undefined,
  versions: readonly ListedVersion[],
  partly: readonly ListedVersion[],
): boolean {
  if (after === undefined || next.key > after.key) return true;
  if (next.key < after.key) return false;
  const seen = new Set(partly.map(({ versionId }) => versionId));
  return versions.some(({ key, versionId }) => key === next.key && !seen.has(versionId));
}

/** Swift says version "null", and gives nothing after that. */
function saysWhere({ versionId }: After, versions: readonly ListedVersion[]): boolean {
  if (versionId === undefined) return false;
  return versionId !== UNVERSIONED || versions.some((one) => one.versionId === UNVERSIONED);
}

async function keyByItself(calls: Pick<S3Calls, "listVersions">, key: string): Promise<KeyListing> {
  const { versions, next } = await calls.listVersions(key, undefined, PAGE);
  const whole = byKey(versions).find((one) => one.key === key);
  if (!whole || next?.key === key) throw notProceeding(key);
  return whole;
}

/** What lies under exactly `key`. */
export async function keyListing(
  calls: Pick<S3Calls, "listVersions">,
  key: string,
  signal: AbortSignal,
): Promise<KeyListing> {
  // A key comes before every longer one that begins with it.
  for await (const first of keysUnder(calls, key, signal)) {
    if (first.key === key) return first;
    break;
  }
  return { key, versions: [], markers: [] };
}

function byKey(versions: readonly ListedVersion[]): KeyListing[] {
  const keys = new Map<string, { versions: ListedVersion[]; markers: ListedVersion[] }>();
  for (const version of versions) {
    const known = keys.get(version.key) ?? { versions: [], markers: [] };
    (version.marker ? known.markers : known.versions).push(version);
    keys.set(version.key, known);
  }
  return Array.from(keys, ([key, listed]) => ({ key, ...listed })).toSorted((one, other) =>
    one.key < other.key ? -1 : 1,
  );
}

function notProceeding(prefix: string): BewaardError {
  const message = `${prefix}: the vault's listing does not proceed`;
  return new BewaardError("VAULT_UNAVAILABLE", message, { transient: true });
}
