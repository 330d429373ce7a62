import { lstat } from "node:fs/promises";
import { systemCode } from "#base/errors";
import { below, namesIn, type SafeFolder } from "./safe-folder.ts";

/** A broken file system must end somewhere. */
const NAMES_LIMIT = 100_000;

/**
 * What `name` is called in a folder of the card: itself where it is there, or where nothing is that differs in capitals
 * alone. To the camera those are one name, and to this machine, which mounts FAT with iocharset=utf8, they are two: the one
 * that it would make beside its own is one that the camera does not read. Undefined where several could be meant.
 */
export async function nameOnCard(
  folder: SafeFolder,
  name: Uint8Array,
): Promise<Uint8Array | undefined> {
  if (await isThere(folder, name)) return name;
  const wanted = inSmall(name);
  const found: Uint8Array[] = [];
  let names = 0;
  for await (const other of namesIn(folder)) {
    names += 1;
    if (names > NAMES_LIMIT) return undefined;
    if (inSmall(other) === wanted) found.push(other);
  }
  return found.length > 1 ? undefined : (found[0] ?? name);
}

/** As core reads names on a card (drivers/bodycam/profile.ts). */
function inSmall(name: Uint8Array): string {
  return Buffer.from(name).toString().toLowerCase();
}

async function isThere(folder: SafeFolder, name: Uint8Array): Promise<boolean> {
  try {
    await lstat(below(folder, name));
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}
