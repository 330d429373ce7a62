import type { SegmentId } from "#base/ids";
import type { Instant } from "#base/time";
import { LEFT_ON_MEDIUM } from "./due.ts";
import { type Segment, segmentOfRow } from "./segment-row.ts";
import type { Database } from "./sqlite.ts";

// What a locked bucket destroys by its own rule. Nothing of it is left on this box, which looks whether it
// is gone from the bucket too.

/** Leaves these to the bucket's rule: their spool copies are gone. */
export function recordWatched(
  database: Database,
  at: Instant,
  ids: readonly SegmentId[],
): Promise<void> {
  return database.transaction(async (sql) => {
    const params = { $at: at, $ids: JSON.stringify(ids) };
    await sql.run(
      `update copy set state = 'gone', changed_at_ms = $at
       where segment_id in (select value from json_each($ids)) and place = 'spool' and state <> 'gone'`,
      params,
    );
    await sql.run(
      `update segment set watched_since_ms = $at
       where id in (select value from json_each($ids)) and state = 'destroying'`,
      params,
    );
  });
}

/** What the bucket's rule is to destroy, camera by camera and by start: as its keys lie in the vault. */
export function watchedSegments(
  database: Database,
  after: Pick<Segment, "device" | "startedAt" | "id"> | undefined,
  limit: number,
): Promise<readonly Segment[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `select * from segment where state = 'destroying' and watched_since_ms is not null
         and not ${LEFT_ON_MEDIUM}
         and (device_id, started_at_ms, id) > ($device, $startedAt, $id)
       order by device_id, started_at_ms, id limit $limit`,
      {
        $device: after?.device ?? "",
        $startedAt: after?.startedAt ?? 0,
        $id: after?.id ?? "",
        $limit: limit,
      },
    );
    return rows.map(segmentOfRow);
  });
}
