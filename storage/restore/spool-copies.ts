import { lstat } from "node:fs/promises";
import { systemCode } from "#base/errors";
import { text } from "../catalog/row.ts";
import { segmentOfRow } from "../catalog/segment-row.ts";
import type { Database } from "../catalog/sqlite.ts";
import { type Spool, segmentPath } from "../spool/spool.ts";

const PAGE = 1000;

/**
 * Records for each segment, but those that are known to be gone from there, whether the ring still has its file, with its length. On a new box it has none;
 * where only the catalog's disk was lost it has them all.
 */
export async function restoreSpoolCopies(
  database: Database,
  spool: Spool,
  signal: AbortSignal,
): Promise<void> {
  for (let after = ""; ; ) {
    signal.throwIfAborted();
    const from = after;
    const rows = await database.transaction((sql) =>
      sql.all(
        `select * from segment where id > $after and not exists (
           select 1 from copy where segment_id = segment.id and place = 'spool' and state = 'gone')
         order by id limit $page`,
        { $after: from, $page: PAGE },
      ),
    );
    const copies: unknown[] = [];
    for (const segment of rows.map(segmentOfRow)) {
      const { id, arrivedAt, ciphertextBytes } = segment;
      const size = await sizeOf(segmentPath(spool, id, arrivedAt));
      const state = size === ciphertextBytes ? "present" : "gone";
      copies.push([id, state, ciphertextBytes, arrivedAt]);
    }
    await database.transaction((sql) =>
      sql.run(
        `insert into copy (segment_id, place, state, bytes, changed_at_ms)
         select value ->> 0, 'spool', value ->> 1, value ->> 2, value ->> 3 from json_each($copies)
         where true on conflict (segment_id, place) do update
         set state = 'gone' where excluded.state = 'gone'`,
        { $copies: JSON.stringify(copies) },
      ),
    );
    if (rows.length < PAGE) return;
    after = text(rows.at(-1), "id");
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await lstat(path)).size;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
