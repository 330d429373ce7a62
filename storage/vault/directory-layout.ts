import { opendir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "#base/errors";
import { namesIn } from "./directory-files.ts";

/** Ends the folder name of an object, so that a key and a longer one below it never meet. */
export const OBJECT_MARK = "~";

/** Versions on their way in or out. */
export const WRITING = ".writing";
/** Names under `.writing/` start with what they are. */
export const PUTTING = "put-";
export const LEAVING = "leaving-";

/** Names of versions. What else lies about (`.DS_Store`, `@eaDir`) is none of ours, and in nobody's way. */
export function isUlid(name: string): boolean {
  return /^[0-9A-Z]{26}$/.test(name);
}

/** Checks that `key` names a place inside the vault and nothing else. @throws TypeError. */
export function parseKey(key: string): string {
  if (!/^[a-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/.test(key)) {
    throw new TypeError(`not a vault key: ${key}`);
  }
  return key;
}

/** Keys under `prefix` (ending in `/`) in order, one folder in memory at a time. */
export async function* objectFolders(
  root: string,
  prefix: string,
): AsyncGenerator<string, void, undefined> {
  const names: string[] = [];
  try {
    for await (const entry of await opendir(join(root, prefix))) {
      if (entry.isDirectory()) names.push(entry.name);
    }
  } catch (error) {
    if (systemCode(error) === "ENOENT") return;
    throw error;
  }
  for (const name of names.toSorted((a, b) => (inKey(a) < inKey(b) ? -1 : 1))) {
    if (name.endsWith(OBJECT_MARK)) yield `${prefix}${name.slice(0, -OBJECT_MARK.length)}`;
    else yield* objectFolders(root, `${prefix}${name}/`);
  }
}

// `cam-1-a/` comes before `cam-1/`: the order is that of whole keys, not of names.
function inKey(name: string): string {
  return name.endsWith(OBJECT_MARK) ? name.slice(0, -OBJECT_MARK.length) : `${name}/`;
}

export interface UnfinishedWrite {
  readonly key: string;
  readonly folder: string;
  readonly versionId: string;
  /** On its way out, not in. */
  readonly leaving: boolean;
}

/** What lies under `.writing/` with the key it was meant for. */
export async function unfinishedWrites(root: string): Promise<readonly UnfinishedWrite[]> {
  const writes: UnfinishedWrite[] = [];
  for (const name of await namesIn(join(root, WRITING))) {
    if (!/^(?:put|leaving)-[0-9A-Z]{26}$/.test(name)) continue;
    const folder = join(root, WRITING, name);
    for (const versionId of (await namesIn(folder)).filter(isUlid)) {
      const key = await keyIn(join(folder, versionId, "facts.json"));
      if (key === undefined) continue;
      writes.push({ key, folder, versionId, leaving: name.startsWith(LEAVING) });
    }
  }
  return writes;
}

// Without its facts a write has no body yet: they come first.
async function keyIn(path: string): Promise<string | undefined> {
  try {
    const parsed: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof parsed !== "object" || parsed === null || !("key" in parsed)) return undefined;
    return String(parsed.key);
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
