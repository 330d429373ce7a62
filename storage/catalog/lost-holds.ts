import type { SegmentId } from "#base/ids";
import type { Instant } from "#base/time";
import { append } from "../ledger/append.ts";
import { text } from "./row.ts";
import { type Segment, segmentOfRow } from "./segment-row.ts";
import type { Database } from "./sqlite.ts";

/** Segments that the vault was seen to hold and that are held still, by id, after `after`. */
export function heldInVault(
  database: Database,
  after: string,
  limit: number,
): Promise<readonly Segment[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `select * from segment where id in (
         select segment_id from hold indexed by hold_segment
         where released_at_ms is null and in_vault_at_ms is not null and segment_id > $after
           and exists (select 1 from segment where id = hold.segment_id)
         group by segment_id order by segment_id limit $limit)
       order by id`,
      { $after: after, $limit: limit },
    );
    return rows.map(segmentOfRow);
  });
}

/**
 * Records that the vault does not hold `id` any more though it did: its holds are asked for again, and not
 * in force until they are read back. One that was released meanwhile stays as it is.
 */
export function recordHoldLost(database: Database, at: Instant, id: SegmentId): Promise<void> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `update hold set in_vault_at_ms = null, in_force_at_ms = null
       where segment_id = $id and released_at_ms is null and in_vault_at_ms is not null
       returning hold_id`,
      { $id: id },
    );
    if (rows.length === 0) return;
    const holds = rows.map((row) => text(row, "hold_id"));
    await append(sql, at, [{ kind: "hold.lost", facts: { segment: id, holds } }]);
  });
}

/** Whether a hold here is open on `id`, or its release was not yet seen in the vault. */
export function isHeldHere(database: Database, id: SegmentId): Promise<boolean> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `select 1 from hold where segment_id = $id and (released_at_ms is null or lifted_at_ms is null)`,
      { $id: id },
    );
    return rows.length > 0;
  });
}
