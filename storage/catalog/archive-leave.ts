import { BLOCK, pruneBlock } from "../ledger/kept.ts";
import type { Archive } from "./archived.ts";
import { number } from "./row.ts";
import type { Database, Sql } from "./sqlite.ts";

const SEGMENTS_AT_ONCE = 500;
const BATCHES_AT_ONCE = 100;

/** An entry stays as long as a row refers to it. */
const UNREFERRED = [
  "segment",
  "hold",
  "gap",
  "device",
  "bodycam",
  "quarantine",
  "batch",
  "detail",
  "left_file",
  "timestamp",
  "duty",
  "breach",
]
  .map((table) => `not exists (select 1 from ${table} where entry_seq = entry.seq)`)
  .join(" and ");

/**
 * Lets the rows of an archive that lies in the vault leave, in transactions of a few thousand rows. Cut
 * off anywhere it goes on where it was; done again it does nothing. The catalog's own rules refuse what
 * is not archived.
 */
export async function letLeave(database: Database, archive: Archive): Promise<void> {
  while (await database.transaction((sql) => segmentsLeave(sql, archive)));
  while (await database.transaction((sql) => batchesLeave(sql, archive)));
  const end = archive.last + 1;
  for (let from = archive.first; from < end; from = (Math.floor(from / BLOCK) + 1) * BLOCK) {
    const block = Math.floor(from / BLOCK);
    await database.transaction(async (sql) => {
      await entriesLeave(sql, from, Math.min((block + 1) * BLOCK, end));
      await pruneBlock(sql, block, end);
    });
  }
  await database.transaction((sql) => stragglersLeave(sql, archive.first, end));
  await database.transaction((sql) =>
    sql.run("delete from batch_row where batch_id = $batch", { $batch: archive.batch }),
  );
}

async function segmentsLeave(sql: Sql, { batch }: Archive): Promise<boolean> {
  const rows = await sql.all(
    `select segment.id from batch_row cross join segment on segment.id = batch_row.segment_id
     where batch_id = $batch order by position limit ${SEGMENTS_AT_ONCE}`,
    { $batch: batch },
  );
  if (rows.length === 0) return false;
  const $ids = { $ids: JSON.stringify(rows.map((row) => row["id"])) };
  const leaving = "in (select value from json_each($ids))";
  await sql.run(`delete from copy where segment_id ${leaving}`, $ids);
  await sql.run(`delete from hold where segment_id ${leaving}`, $ids);
  await sql.run(`delete from segment where id ${leaving}`, $ids);
  return true;
}

async function batchesLeave(sql: Sql, { last }: Archive): Promise<boolean> {
  const rows = await sql.all(
    `select id from batch where entry_seq <= $last and kind <> 'archived' and not exists (
       select 1 from batch_row join segment on segment.id = batch_row.segment_id
       where batch_row.batch_id = batch.id
     ) order by entry_seq limit ${BATCHES_AT_ONCE}`,
    { $last: last },
  );
  if (rows.length === 0) return false;
  const $ids = { $ids: JSON.stringify(rows.map((row) => number(row, "id"))) };
  await sql.run(
    "delete from batch_row where batch_id in (select value from json_each($ids))",
    $ids,
  );
  await sql.run("delete from batch where id in (select value from json_each($ids))", $ids);
  return true;
}

function entriesLeave(sql: Sql, from: number, to: number): Promise<number> {
  return sql.run(`delete from entry where seq >= $from and seq < $to and ${UNREFERRED}`, {
    $from: from,
    $to: to,
  });
}

/** Entries of earlier archives that stayed for a row which has left now: held footage, mostly. */
async function stragglersLeave(sql: Sql, before: number, end: number): Promise<void> {
  const rows = await sql.all(
    `delete from entry where seq < $before and ${UNREFERRED} returning seq`,
    { $before: before },
  );
  const blocks = new Set(rows.map((row) => Math.floor(number(row, "seq") / BLOCK)));
  for (const block of blocks) await pruneBlock(sql, block, end);
}
