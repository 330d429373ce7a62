import { isoOf } from "#base/time";
import { canonical } from "../ledger/canonical.ts";
import { moment, number, text } from "./row.ts";
import type { Database, Sql, SqlRow } from "./sqlite.ts";

/** Closed batches as they go into one object: a line each, and the entry before which the next object begins. */
export interface ClosedBatches {
  readonly to: number;
  readonly lines: readonly string[];
}

/**
 * So many rows go into one object, about a megabyte; a larger batch is in one of its own. They are in memory three
 * times while the object is made, and a box of an earlier release has millions to put.
 */
const ROWS_AT_ONCE = 5000;
const BATCHES_AT_ONCE = 1000;

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
    const lines = await linesOf(sql, some);
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

async function linesOf(sql: Sql, batches: readonly SqlRow[]): Promise<readonly string[]> {
  const ids = batches.map((batch) => number(batch, "id"));
  const rows = await sql.all(
    `select batch_id, body from batch_row where batch_id in (select value from json_each($ids))
     order by batch_id, position`,
    { $ids: JSON.stringify(ids) },
  );
  const rowsOf = Map.groupBy(rows, (row) => number(row, "batch_id"));
  return batches.map((batch) => {
    const id = number(batch, "id");
    return canonical({
      batch: id,
      entry: number(batch, "entry_seq"),
      openedAt: isoOf(moment(batch, "opened_at_ms")),
      rows: (rowsOf.get(id) ?? []).map((row) => text(row, "body")),
    });
  });
}
