import type { SegmentId } from "#base/ids";
import { type Instant, isoOf } from "#base/time";
import { append } from "../ledger/append.ts";
import { type Segment, segmentOfRow, type TimeTrust } from "./segment-row.ts";
import type { Database } from "./sqlite.ts";

/** Segments whose term was reckoned from a time nobody had vouched for, and that still exist. */
export function provisionalSegments(
  database: Database,
  limit: number,
): Promise<readonly Segment[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      "select * from segment where due_provisional = 1 order by id limit $limit",
      {
        $limit: limit,
      },
    );
    return rows.map(segmentOfRow);
  });
}

/** Records the term as it is reckoned from a trusted time. It does not become later again. */
export function recordTerm(
  database: Database,
  at: Instant,
  id: SegmentId,
  { timeTrust, dueAt }: { readonly timeTrust: TimeTrust; readonly dueAt: Instant },
): Promise<void> {
  return database.transaction(async (sql) => {
    const changed = await sql.run(
      `update segment set due_at_ms = $dueAt, time_trust = $trust, due_provisional = 0
       where id = $id and due_provisional = 1`,
      { $id: id, $dueAt: dueAt, $trust: timeTrust },
    );
    if (changed === 0) return;
    await append(sql, at, [
      { kind: "segment.term", facts: { id, timeTrust, dueAt: isoOf(dueAt) } },
    ]);
  });
}

/** Gives what was quarantined at an untrusted time its term. */
export function recordQuarantineTerm(database: Database, dueAt: Instant): Promise<number> {
  return database.transaction((sql) =>
    sql.run(
      "update quarantine set due_at_ms = $dueAt, due_provisional = 0 where due_provisional = 1",
      {
        $dueAt: dueAt,
      },
    ),
  );
}
