import { lstat } from "node:fs/promises";
import { BewaardError, systemCode } from "#base/errors";
import { below, namesIn, openFolder, type SafeFolder } from "./safe-folder.ts";

/** A camera nests three deep, and a loop in a broken file system must end somewhere. */
const DEPTH_LIMIT = 16;
const NAMES_LIMIT = 100_000;

/** How many regular files are left on a card; null when it cannot be read, or never ends. */
export async function countFiles(card: SafeFolder): Promise<number | null> {
  const seen = { files: 0, names: 0 };
  try {
    return (await count(card, 0, seen)) ? seen.files : null;
  } catch (error) {
    if (error instanceof BewaardError || systemCode(error) === undefined) throw error;
    return null;
  }
}

async function count(
  folder: SafeFolder,
  depth: number,
  seen: { files: number; names: number },
): Promise<boolean> {
  if (depth > DEPTH_LIMIT) return false;
  for await (const name of namesIn(folder)) {
    seen.names += 1;
    if (seen.names > NAMES_LIMIT) return false;
    const { isFile, isFolder } = await kindOf(folder, name);
    if (isFile) seen.files += 1;
    if (!isFolder) continue;
    await using inner = await openFolder(folder, name);
    if (!(await count(inner, depth + 1, seen))) return false;
  }
  return true;
}

async function kindOf(folder: SafeFolder, name: Uint8Array) {
  const stats = await lstat(below(folder, name), { bigint: true });
  const here = stats.dev === folder.dev;
  return { isFile: here && stats.isFile(), isFolder: here && stats.isDirectory() };
}
