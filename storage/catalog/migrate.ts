import { readdir, readFile } from "node:fs/promises";
import { BewaardError } from "#base/errors";
import { number } from "./row.ts";
import type { Database } from "./sqlite.ts";

const MIGRATIONS = new URL("./migrations/", import.meta.url);

/**
 * Brings the schema to the newest version, one transaction a file.
 * @throws BewaardError CATALOG_VERSION for a catalog that a newer bewaard has written.
 */
export async function migrate(database: Database): Promise<void> {
  const files = (await readdir(MIGRATIONS)).filter((name) => name.endsWith(".sql")).toSorted();
  if (await migrateOnce(database, files)) return;
  let done = false;
  while (!done) done = await migrateOnce(database, files);
  // An older package reads the version out of the file (packaging/debian/preinst). On a full disk that comes by itself, later.
  await database.settle().catch(() => undefined);
}

function migrateOnce(database: Database, files: readonly string[]): Promise<boolean> {
  return database.transaction(async (sql) => {
    const [row] = await sql.all("pragma user_version");
    const version = number(row, "user_version");
    if (version > files.length) {
      throw new BewaardError(
        "CATALOG_VERSION",
        `catalog is at version ${version}, this bewaard knows ${files.length}: install the newer one`,
      );
    }
    const next = files[version];
    if (next === undefined) return true;
    await sql.script(await readFile(new URL(next, MIGRATIONS), "utf8"));
    await sql.script(`pragma user_version = ${version + 1}`);
    return false;
  });
}
