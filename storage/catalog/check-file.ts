import { BewaardError } from "#base/errors";
import { text } from "./row.ts";
import type { Database } from "./sqlite.ts";

/** A damaged catalog has many findings, and the first says as much as all of them. */
const SHOWN = 5;

/**
 * What SQLite finds wrong with the catalog's file, the first few; empty when it is sound (`quick_check`:
 * pages, order and form of rows, not whether each index has each row). Reads all of it, table by table,
 * each on a snapshot and a connection of its own: nobody waits for it, and the write-ahead log can be
 * emptied in between.
 * @throws BewaardError CATALOG_IO (transient) when the disk does not answer.
 */
export async function fileDamage(
  database: Database,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const found: string[] = [];
  const tables = await database.transaction((sql) =>
    sql.all("select name from sqlite_schema where type = 'table' order by name"),
  );
  for (const row of tables) {
    signal.throwIfAborted();
    found.push(...(await tableDamage(database, text(row, "name"))));
  }
  return found.slice(0, SHOWN);
}

async function tableDamage(database: Database, table: string): Promise<readonly string[]> {
  try {
    const rows = await database.aside((sql) =>
      sql.all(`select quick_check as said from pragma_quick_check($table) limit ${SHOWN}`, {
        $table: table,
      }),
    );
    return rows.map((row) => text(row, "said")).filter((said) => said !== "ok");
  } catch (error) {
    // Too damaged to be read to its end.
    if (!(error instanceof BewaardError && error.code === "CATALOG_IO") || error.transient)
      throw error;
    return [`${table}: ${error.message}`];
  }
}
