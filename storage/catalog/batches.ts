import type { SegmentId } from "#base/ids";
import { type Instant, isoOf } from "#base/time";
import { append } from "../ledger/append.ts";
import { canonical, type Json } from "../ledger/canonical.ts";
import type { EntryKind } from "../ledger/entry.ts";
import { rootOver } from "../ledger/tree.ts";
import { number, text } from "./row.ts";
import type { Database, Sql } from "./sqlite.ts";

/** Changes of state that come in numbers: a row each as they happen, one ledger entry a sweep. */
export type BatchKind = "stored" | "destroying" | "destroyed" | "evicted";

const ENTRY: Readonly<Record<BatchKind, EntryKind>> = {
  stored: "segments.stored",
  destroying: "segments.destroying",
  destroyed: "segments.destroyed",
  evicted: "copies.evicted",
};

export interface BatchRow {
  readonly id: SegmentId;
  /** What happened to this one, beside its id. */
  readonly facts: Readonly<Record<string, Json>>;
}

/** Adds rows to the open batch of `kind`, in the transaction that changes their state (invariant 5). */
export async function addToBatch(
  sql: Sql,
  kind: BatchKind,
  at: Instant,
  rows: readonly BatchRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const batch = await openBatch(sql, kind, at);
  const leaves = rows.map(({ id, facts }) => ({
    id,
    body: canonical({ ...facts, id, at: isoOf(at) }),
  }));
  await sql.run(
    `insert into batch_row (batch_id, position, segment_id, body)
     select $batch,
       (select coalesce(max(position) + 1, 0) from batch_row where batch_id = $batch) + key,
       value ->> 'id', value ->> 'body'
     from json_each($rows)`,
    { $batch: batch, $rows: JSON.stringify(leaves) },
  );
}

async function openBatch(sql: Sql, kind: BatchKind, at: Instant): Promise<number> {
  const [open] = await sql.all("select id from batch where kind = $kind and entry_seq is null", {
    $kind: kind,
  });
  if (open) return number(open, "id");
  const [made] = await sql.all(
    "insert into batch (kind, opened_at_ms) values ($kind, $at) returning id",
    { $kind: kind, $at: at },
  );
  return number(made, "id");
}

/** Closes the open batch of `kind`: one entry with the number of rows and the root over them. */
export async function closeBatch(sql: Sql, kind: BatchKind, at: Instant): Promise<number> {
  const [open] = await sql.all("select id from batch where kind = $kind and entry_seq is null", {
    $kind: kind,
  });
  if (!open) return 0;
  const batch = number(open, "id");
  const rows = await sql.all(
    "select body from batch_row where batch_id = $batch order by position",
    {
      $batch: batch,
    },
  );
  const root = rootOver(rows.map((row) => text(row, "body")));
  const facts = { batch, rows: rows.length, root: root.toString("hex") };
  const entry = await append(sql, at, [{ kind: ENTRY[kind], facts }]);
  await sql.run("update batch set root = $root, entry_seq = $entry where id = $batch", {
    $batch: batch,
    $root: root,
    $entry: entry,
  });
  return rows.length;
}

/** Ends a sweep: closes its batch, also one that a crash left open. Returns the number of rows. */
export function closeSweep(database: Database, kind: BatchKind, at: Instant): Promise<number> {
  return database.transaction((sql) => closeBatch(sql, kind, at));
}
