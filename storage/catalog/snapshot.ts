import { open } from "node:fs/promises";
import { diskError } from "#base/disk-errors";
import type { Database } from "./sqlite.ts";

/**
 * Writes the catalog as it is now into the new file `path`, which nobody else may read, while transactions go on.
 * It is one SQLite file, without a log beside it. It need not survive a power cut.
 * @throws BewaardError CATALOG_FULL, CATALOG_IO (transient) when the disk refuses.
 */
export async function writeSnapshot(database: Database, path: string): Promise<void> {
  try {
    // SQLite takes an empty file, and keeps its mode.
    await (await open(path, "wx", 0o600)).close();
  } catch (error) {
    throw diskError(error, "copying the catalog");
  }
  await database.aside(async (sql) => {
    // VACUUM reads from one moment by itself, and does not begin within a transaction.
    await sql.script("commit");
    await sql.run("vacuum into $path", { $path: path });
  });
}
