import { access, open, rm } from "node:fs/promises";
import { BewaardError, systemCode } from "#base/errors";

/** A catalog is these files; SQLite takes a log that lies beside one for its own. */
function filesOf(catalog: string): readonly string[] {
  return ["", "-wal", "-shm"].map((end) => `${catalog}${end}`);
}

/** Removes a catalog with its logs, where it is there. */
export async function removeCatalog(catalog: string): Promise<void> {
  for (const path of filesOf(catalog)) await rm(path, { force: true });
}

/** @throws BewaardError CATALOG_EXISTS where a catalog is there, or a log of one. */
export async function requireNone(catalog: string): Promise<void> {
  for (const path of filesOf(catalog)) {
    if (!(await isThere(path))) continue;
    const message = `${path} is there: a catalog is made again only where there is none`;
    throw new BewaardError("CATALOG_EXISTS", message);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** Has the disk keep what was written to `path`. */
export async function syncFile(path: string): Promise<void> {
  await using file = await open(path, "r");
  await file.sync();
}
