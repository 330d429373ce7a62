import type { SegmentId } from "#base/ids";
import { parseSegmentId } from "#base/ids";
import type { Instant } from "#base/time";
import { canonical, type Json } from "../ledger/canonical.ts";
import { number, text } from "./row.ts";
import type { Database, Sql, SqlRow } from "./sqlite.ts";

/** Entries `first` ≤ seq ≤ `last`, the next to leave. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

/** What goes into one archive: a line each, and the segments whose rows may then leave. */
export interface Gathered extends Range {
  readonly lines: readonly string[];
  readonly segments: readonly SegmentId[];
}

/** A few thousand rows: an archive is a few megabytes, and no step of it keeps anybody waiting. */
const ENTRIES_AT_ONCE = 4096;
const SEGMENTS_AT_ONCE = 8192;
const PAGE = 512;

/** The entry after the last one that is archived. */
export async function archivedTo(sql: Sql): Promise<number> {
  const [row] = await sql.all(
    `select coalesce(max(last_seq) + 1, 0) as next from batch
     where kind = 'archived' and read_back_at_ms is not null`,
  );
  return number(row, "next");
}

/**
 * The next entries that are all older than `before`, and that the vault has, with the rows of the batches they
 * closed, under a signed head. The
 * newest entry never leaves: the next one is numbered after it.
 */
export function archiveDue(database: Database, before: Instant): Promise<Range | undefined> {
  return database.transaction(async (sql) => {
    const first = await archivedTo(sql);
    const [row] = await sql.all(
      `select min(
         $first + ${ENTRIES_AT_ONCE},
         (select coalesce(max(size), 0) from checkpoint where published_at_ms is not null),
         (select coalesce(max(cast(value as integer)), 0) from fact where name = 'rows'),
         (select coalesce(max(seq), 0) from entry),
         coalesce((
           select min(seq) from entry
           where seq >= $first and seq < $first + ${ENTRIES_AT_ONCE} and at_ms >= $before
         ), $first + ${ENTRIES_AT_ONCE})
       ) as end`,
      { $first: first, $before: before },
    );
    const end = number(row, "end");
    return end > first ? { first, last: end - 1 } : undefined;
  });
}

/**
 * Reads everything up to `range.last` that nothing needs any more: every entry of the range, segments
 * destroyed before `destroyedBefore` with their copies and holds, and batches none of whose segments stays.
 */
export async function gather(
  database: Database,
  range: Range,
  destroyedBefore: Instant,
): Promise<Gathered> {
  const lines: string[] = [];
  for (let from = range.first; from <= range.last; from += PAGE) {
    const to = Math.min(from + PAGE - 1, range.last);
    lines.push(...(await database.transaction((sql) => entryLines(sql, from, to))));
  }
  const segments = await database.transaction((sql) => destroyedIn(sql, range, destroyedBefore));
  for (let from = 0; from < segments.length; from += PAGE) {
    const ids = segments.slice(from, from + PAGE);
    lines.push(...(await database.transaction((sql) => segmentLines(sql, ids))));
  }
  const batches = await database.transaction((sql) => batchesThrough(sql, range.last, segments));
  for (const batch of batches)
    lines.push(await database.transaction((sql) => batchLine(sql, batch)));
  return { ...range, lines, segments };
}

async function entryLines(sql: Sql, from: number, to: number): Promise<readonly string[]> {
  const rows = await sql.all(
    "select seq, body from entry where seq between $from and $to order by seq",
    { $from: from, $to: to },
  );
  return rows.map((row) => canonical({ entry: number(row, "seq"), body: text(row, "body") }));
}

async function destroyedIn(
  sql: Sql,
  { last }: Range,
  before: Instant,
): Promise<readonly SegmentId[]> {
  const rows = await sql.all(
    `select id from segment where entry_seq <= $last and state = 'destroyed'
       and not exists (select 1 from copy where segment_id = segment.id and changed_at_ms >= $before)
       and not exists (select 1 from hold where segment_id = segment.id and released_at_ms is null)
     order by entry_seq limit ${SEGMENTS_AT_ONCE}`,
    { $last: last, $before: before },
  );
  return rows.map((row) => parseSegmentId(text(row, "id")));
}

async function segmentLines(sql: Sql, ids: readonly SegmentId[]): Promise<readonly string[]> {
  const $ids = { $ids: JSON.stringify(ids) };
  const wanted = "in (select value from json_each($ids))";
  const segments = await sql.all(`select * from segment where id ${wanted} order by id`, $ids);
  const copies = await sql.all(`select * from copy where segment_id ${wanted}`, $ids);
  const holds = await sql.all(`select * from hold where segment_id ${wanted}`, $ids);
  const copiesOf = Map.groupBy(copies, (row) => text(row, "segment_id"));
  const holdsOf = Map.groupBy(holds, (row) => text(row, "segment_id"));
  return segments.map((row) => {
    const id = text(row, "id");
    return canonical({
      segment: jsonOf(row),
      copies: (copiesOf.get(id) ?? []).map(jsonOf),
      holds: (holdsOf.get(id) ?? []).map(jsonOf),
    });
  });
}

/** Closed batches up to `last` of which no segment stays once `leaving` have left. */
function batchesThrough(
  sql: Sql,
  last: number,
  leaving: readonly SegmentId[],
): Promise<readonly SqlRow[]> {
  return sql.all(
    `select * from batch where entry_seq <= $last and kind <> 'archived' and not exists (
       select 1 from batch_row join segment on segment.id = batch_row.segment_id
       where batch_row.batch_id = batch.id
         and segment.id not in (select value from json_each($leaving))
     ) order by entry_seq`,
    { $last: last, $leaving: JSON.stringify(leaving) },
  );
}

async function batchLine(sql: Sql, batch: SqlRow): Promise<string> {
  const rows = await sql.all("select body from batch_row where batch_id = $id order by position", {
    $id: number(batch, "id"),
  });
  return canonical({ batch: jsonOf(batch), rows: rows.map((row) => text(row, "body")) });
}

/** A row as JSON: bytes in hex, names as in the schema. */
function jsonOf(row: SqlRow): Json {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
    ]),
  );
}
