import { isoOf } from "#base/time";
import { canonical } from "../ledger/canonical.ts";
import { moment, number, text } from "./row.ts";
import type { Database, Sql, SqlRow } from "./sqlite.ts";

/** Closed batches as they go into one object: a line each, and the entry before which the next object begins. */
export interface ClosedBatches {
  readonly to: number;
  readonly lines: readonly string[];
}

/** So many rows go into one object, some megabytes; a larger batch is in one of its own. */
const ROWS_AT_ONCE = 50_000;
const BATCHES_AT_ONCE = 4096;

/**
 * The batches that were closed by entries `from` ≤ seq < `end`, with their rows, or the first of them. The
 * entry has the root over the rows: whoever reads them elsewhere can tell that they are these.
 */
export function closedBatches(
  database: Database,
  from: number,
  end: number,
): Promise<ClosedBatches> {
  return database.transaction(async (sql) => {
    const batches = await sql.all(
      `select id, opened_at_ms, entry_seq, (
         select coalesce(max(position) + 1, 0) from batch_row where batch_id = batch.id
       ) as rows
       from batch where entry_seq >= $from and entry_seq < $end and kind <> 'archived'
       order by entry_seq limit ${BATCHES_AT_ONCE}`,
      { $from: from, $end: end },
    );
    const some = upTo(batches, ROWS_AT_ONCE);
    const lines: string[] = [];
    for (const batch of some) lines.push(await lineOf(sql, batch));
    const all = some.length === batches.length && batches.length < BATCHES_AT_ONCE;
    const last = all ? undefined : some.at(-1);
    return { to: last ? number(last, "entry_seq") + 1 : end, lines };
  });
}

function upTo(batches: readonly SqlRow[], rows: number): readonly SqlRow[] {
  let sum = 0;
  const enough = batches.findIndex((batch) => {
    sum += number(batch, "rows");
    return sum >= rows;
  });
  return enough === -1 ? batches : batches.slice(0, enough + 1);
}

async function lineOf(sql: Sql, batch: SqlRow): Promise<string> {
  const id = number(batch, "id");
  const rows = await sql.all("select body from batch_row where batch_id = $id order by position", {
    $id: id,
  });
  return canonical({
    batch: id,
    entry: number(batch, "entry_seq"),
    openedAt: isoOf(moment(batch, "opened_at_ms")),
    rows: rows.map((row) => text(row, "body")),
  });
}
