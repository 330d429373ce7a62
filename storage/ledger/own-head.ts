import { number, text } from "../catalog/row.ts";
import type { Database } from "../catalog/sqlite.ts";
import { rootAt } from "./prove.ts";

/**
 * Why the newest checkpoint that this catalog recorded is no head of the ledger in it; undefined when it is, or before
 * the first. Whether it is the one that left this box, `checkPublished` compares.
 */
export function headDiffers(database: Database): Promise<string | undefined> {
  return database.transaction(async (sql) => {
    const [newest] = await sql.all("select size, note from checkpoint order by size desc limit 1");
    if (newest === undefined) return undefined;
    const [entries] = await sql.all("select coalesce(max(seq) + 1, 0) as size from entry");
    const [size, here] = [number(newest, "size"), number(entries, "size")];
    if (size > here) return `the newest checkpoint is of ${size} entries, and there are ${here}`;
    const [, , root = ""] = text(newest, "note").split("\n");
    if (Buffer.from(root, "base64").equals(await rootAt(sql, size))) return undefined;
    return `the newest checkpoint, of ${size} entries, has another root than the ledger beside it`;
  });
}
