import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** A new, moved or removed name survives a power cut only once its directory is synced. */
export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, "r");
  await directory.sync();
}

/**
 * Writes a small file so that it is there whole or not at all, and survives a power cut.
 * Replaces a file of that name. Leaves nothing behind when writing fails.
 */
export async function writeDurably(
  path: string,
  content: string | Uint8Array,
  mode: number,
): Promise<void> {
  await writeWhole(path, content, mode);
  await syncDirectory(dirname(path));
}

/** As `writeDurably`, but after a power cut it may be the file before, which is whole as well. */
export async function writeWhole(
  path: string,
  content: string | Uint8Array,
  mode: number,
): Promise<void> {
  const partial = `${path}.partial`;
  await rm(partial, { force: true });
  try {
    await using file = await open(partial, "wx", mode);
    await file.writeFile(content);
    await file.sync();
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  await rename(partial, path);
}
