import type { SegmentId } from "#base/ids";
import { type Instant, isoOf } from "#base/time";
import { addToBatch } from "./batches.ts";
import { IS_SOMEWHERE } from "./nowhere.ts";
import { number } from "./row.ts";
import { type Segment, segmentOfRow } from "./segment-row.ts";
import type { Database } from "./sqlite.ts";

/** A segment the vault should have. */
export interface ToStore extends Segment {
  readonly held: boolean;
}

/** Which sealed segments the vault should have. */
export interface Wanted {
  /** What is due by then is not worth a write, unless it is held. */
  readonly dueAfter: Instant;
  /** A term that nobody has vouched for yet will do, unless it is held. */
  readonly provisional: boolean;
  /** Tried this moment, or not to be tried yet. */
  readonly except: readonly SegmentId[];
}

/**
 * The condition on a row of `segment` that is sealed, with `$dueAfter` and `$provisional` of a `Wanted`. What is held and
 * nowhere cannot be had (the alarm `held-nowhere`).
 */
export const IS_WANTED = `((time_trust <> 'overdue' and case due_provisional
  when 1 then $provisional else due_at_ms > $dueAfter end) or exists (
    select 1 from hold where segment_id = segment.id and released_at_ms is null
  )) and ${IS_SOMEWHERE}`;

/**
 * Sealed segments the vault should have, oldest first, with whether they are held. Leaves out what may be
 * in the spool only (overdue by an untrusted clock).
 */
export function segmentsToStore(
  database: Database,
  { dueAfter, provisional, except }: Wanted,
  limit: number,
): Promise<readonly ToStore[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `select segment.*, exists (
         select 1 from hold where segment_id = segment.id and released_at_ms is null
       ) as held
       from segment
       where state = 'sealed' and id not in (select value from json_each($except))
         and ${IS_WANTED}
       order by started_at_ms, id limit $limit`,
      {
        $dueAfter: dueAfter,
        $provisional: provisional ? 1 : 0,
        $except: JSON.stringify(except),
        $limit: limit,
      },
    );
    return rows.map((row) => ({ ...segmentOfRow(row), held: number(row, "held") === 1 }));
  });
}

/**
 * Says that bytes of `id` may from now on be in the vault, and whether it is held by now. Undefined when it is
 * no longer to be stored. While a copy is `writing` nothing destroys the segment, nor lifts a hold in the vault.
 */
export function intendStore(
  database: Database,
  id: SegmentId,
  at: Instant,
): Promise<{ readonly held: boolean } | undefined> {
  return database.transaction(async (sql) => {
    const changed = await sql.run(
      `insert into copy (segment_id, place, state, bytes, changed_at_ms)
       select id, 'vault', 'writing', ciphertext_bytes, $at from segment
       where id = $id and state = 'sealed'
       on conflict (segment_id, place) do update set state = 'writing', changed_at_ms = $at`,
      { $id: id, $at: at },
    );
    if (changed !== 1) return undefined;
    const holds = await sql.all(
      "select 1 from hold where segment_id = $id and released_at_ms is null limit 1",
      { $id: id },
    );
    return { held: holds.length > 0 };
  });
}

/**
 * Records that the vault holds the same bytes, and until when it keeps them locked; a segment that became
 * due meanwhile stays so.
 */
export function recordStored(
  database: Database,
  id: SegmentId,
  versionId: string,
  lockedUntil: Instant | undefined,
  at: Instant,
): Promise<void> {
  return database.transaction(async (sql) => {
    await sql.run(
      `update copy set state = 'present', version_id = $version, changed_at_ms = $at
       where segment_id = $id and place = 'vault'`,
      { $id: id, $version: versionId, $at: at },
    );
    if (lockedUntil !== undefined) {
      await sql.run("update segment set locked_until_ms = $until where id = $id", {
        $id: id,
        $until: lockedUntil,
      });
    }
    const changed = await sql.run(
      "update segment set state = 'stored' where id = $id and state = 'sealed'",
      { $id: id },
    );
    const lock = lockedUntil === undefined ? {} : { lockedUntil: isoOf(lockedUntil) };
    const facts = { version: versionId, ...lock };
    if (changed === 1) await addToBatch(sql, "stored", at, [{ id, facts }]);
  });
}

/** A write to the vault ended badly: something may be there, nothing is going on. */
export function recordStoreFailed(database: Database, id: SegmentId, at: Instant): Promise<number> {
  return database.transaction((sql) =>
    sql.run(
      `update copy set state = 'leaving', changed_at_ms = $at
       where segment_id = $id and place = 'vault' and state = 'writing'`,
      { $id: id, $at: at },
    ),
  );
}

/** At start nothing is being written: a copy that says so was cut off by a crash. */
export function recordNothingWriting(database: Database, at: Instant): Promise<number> {
  return database.transaction((sql) =>
    sql.run(
      "update copy set state = 'leaving', changed_at_ms = $at where place = 'vault' and state = 'writing'",
      { $at: at },
    ),
  );
}

/** Whether the vault has it now, as far as the catalog knows. */
export function isStored(database: Database, id: SegmentId): Promise<boolean> {
  return database.transaction(async (sql) => {
    const rows = await sql.all("select 1 from segment where id = $id and state = 'stored'", {
      $id: id,
    });
    return rows.length > 0;
  });
}
