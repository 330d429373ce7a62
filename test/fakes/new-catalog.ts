import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { migrate } from "../../storage/catalog/migrate.ts";
import { openDatabase } from "../../storage/catalog/sqlite.ts";
import { temporaryFolder } from "./folder.ts";

/** Empty, as `migrate` leaves it. */
let made: Promise<Uint8Array> | undefined;

/** Puts an empty catalog at `path`. It is migrated once for all of a process: that was most of what opening a rig took. */
export async function newCatalog(path: string): Promise<void> {
  made ??= migrated();
  const content = await made;
  // No part of the program: no fault of a test comes here.
  writeFileSync(path, content, { flag: "wx" });
}

async function migrated(): Promise<Uint8Array> {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "catalog.db");
  {
    await using database = await openDatabase(path);
    await migrate(database);
  }
  return readFileSync(path);
}
