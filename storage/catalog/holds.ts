import { type HoldId, type PersonId, parseHoldId, parseSegmentId, type SegmentId } from "#base/ids";
import { type Instant, isoOf } from "#base/time";
import { append } from "../ledger/append.ts";
import { number, text } from "./row.ts";
import { type Segment, segmentOfRow } from "./segment-row.ts";
import type { Database, Sql } from "./sqlite.ts";

/** A hold (*veiligstelling*) as the desk asked for it, on segments of this box. */
export interface RequestedHold {
  readonly id: HoldId;
  readonly incident: string;
  /** Number of the desk entry. */
  readonly deskNumber: number;
  /** Who holds, by pseudonym. */
  readonly owner: PersonId;
  readonly reviewAt: Instant;
  readonly segments: readonly SegmentId[];
}

/** Segments that cannot be held: they are being destroyed, or gone, or were released under this very id. */
export type TooLate = readonly SegmentId[];

/**
 * Records a hold; a segment that has not arrived yet is held from the moment it does. Repeating is
 * harmless. Returns what could not be held any more: the ledger says so too.
 */
export async function recordHold(sql: Sql, at: Instant, hold: RequestedHold): Promise<TooLate> {
  const known = await knownStates(sql, hold.segments);
  const released = await releasedUnder(sql, hold.id);
  const left = await archived(sql, hold.segments);
  const tooLate = hold.segments.filter(
    (id) => known.get(id)?.startsWith("destroy") || released.has(id) || left.has(id),
  );
  const wanted = hold.segments.filter((id) => !tooLate.includes(id));
  const facts = { hold: hold.id, incident: hold.incident, desk: hold.deskNumber };
  if (tooLate.length > 0) {
    await append(sql, at, [{ kind: "hold.too-late", facts: { ...facts, segments: [...tooLate] } }]);
  }
  if (wanted.length === 0) return tooLate;
  const entry = await append(sql, at, [
    {
      kind: "hold.requested",
      facts: { ...facts, owner: hold.owner, segments: wanted, reviewAt: isoOf(hold.reviewAt) },
    },
  ]);
  await sql.run(
    `insert into hold (hold_id, segment_id, incident, desk_number, owner, review_at_ms, requested_at_ms, entry_seq)
     select $hold, value, $incident, $desk, $owner, $reviewAt, $at, $entry from json_each($segments)
     where true on conflict do nothing`,
    {
      $hold: hold.id,
      $incident: hold.incident,
      $desk: hold.deskNumber,
      $owner: hold.owner,
      $reviewAt: hold.reviewAt,
      $at: at,
      $entry: entry,
      $segments: JSON.stringify(wanted),
    },
  );
  return tooLate;
}

/** Its row has left for the archive: it was destroyed long ago, and will not come. */
async function archived(sql: Sql, ids: readonly SegmentId[]): Promise<ReadonlySet<string>> {
  const rows = await sql.all(
    `select segment_id from batch_row join batch on batch.id = batch_row.batch_id
     where batch.kind = 'archived' and segment_id in (select value from json_each($ids))
       and segment_id not in (select id from segment)`,
    { $ids: JSON.stringify(ids) },
  );
  return new Set(rows.map((row) => text(row, "segment_id")));
}

async function knownStates(
  sql: Sql,
  ids: readonly SegmentId[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await sql.all(
    "select id, state from segment where id in (select value from json_each($ids))",
    { $ids: JSON.stringify(ids) },
  );
  return new Map(rows.map((row) => [text(row, "id"), text(row, "state")]));
}

/** A hold that was released stays so: what asks for it again holds nothing, and must be told. */
async function releasedUnder(sql: Sql, hold: HoldId): Promise<ReadonlySet<string>> {
  const rows = await sql.all(
    "select segment_id from hold where hold_id = $hold and released_at_ms is not null",
    { $hold: hold },
  );
  return new Set(rows.map((row) => text(row, "segment_id")));
}

/** Records that the desk released a hold. Returns how many segments it had still held. */
export async function recordRelease(
  sql: Sql,
  at: Instant,
  id: HoldId,
  deskNumber: number,
): Promise<number> {
  const released = await sql.run(
    "update hold set released_at_ms = $at where hold_id = $hold and released_at_ms is null",
    { $at: at, $hold: id },
  );
  if (released > 0) {
    await append(sql, at, [
      { kind: "hold.released", facts: { hold: id, desk: deskNumber, segments: released } },
    ]);
  }
  return released;
}

/** A held segment whose hold was asked for and not yet read back from the vault. */
export interface HoldToConfirm {
  readonly hold: HoldId;
  readonly segment: Segment;
  /** Whether the vault has a published checkpoint over the entry that asked for it. */
  readonly published: boolean;
}

/** Holds on stored segments that the vault was not yet seen to have, in order, after `after`. */
export function holdsToConfirm(
  database: Database,
  after: string,
  limit: number,
): Promise<readonly HoldToConfirm[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `select segment.*, hold.hold_id, hold.entry_seq < (
         select coalesce(max(size), 0) from checkpoint where published_at_ms is not null) as published
       from hold indexed by hold_requested
       cross join segment on segment.id = hold.segment_id
       cross join copy on copy.segment_id = segment.id and copy.place = 'vault' and copy.state = 'present'
       where hold.in_force_at_ms is null and hold.released_at_ms is null
         and hold.in_vault_at_ms is null and hold.hold_id || segment.id > $after
       order by hold.hold_id, segment.id limit $limit`,
      { $after: after, $limit: limit },
    );
    return rows.map((row) => ({
      hold: parseHoldId(text(row, "hold_id")),
      segment: segmentOfRow(row),
      published: number(row, "published") === 1,
    }));
  });
}

/** Records that every version in the vault was seen to be held, or that the ledger there says so. */
export function recordInVault(
  database: Database,
  at: Instant,
  hold: HoldId,
  segment: SegmentId,
): Promise<number> {
  return database.transaction((sql) =>
    sql.run(
      `update hold set in_vault_at_ms = $at
       where hold_id = $hold and segment_id = $segment and in_vault_at_ms is null and released_at_ms is null`,
      { $at: at, $hold: hold, $segment: segment },
    ),
  );
}

/** Holds that have all they need to be in force; with `separate`, also the separate copy. */
export function holdsComplete(
  database: Database,
  separate: boolean,
): Promise<readonly { readonly hold: HoldId; readonly segment: SegmentId }[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `select hold_id, segment_id from hold indexed by hold_requested
       where in_force_at_ms is null and released_at_ms is null and in_vault_at_ms is not null
         and ($separate = 0 or secured_at_ms is not null)
       order by hold_id, segment_id limit 1000`,
      { $separate: separate ? 1 : 0 },
    );
    return rows.map((row) => ({
      hold: parseHoldId(text(row, "hold_id")),
      segment: parseSegmentId(text(row, "segment_id")),
    }));
  });
}

/** Records that the hold is in force from now on. True when that is new. */
export function recordInForce(
  database: Database,
  at: Instant,
  hold: HoldId,
  segment: SegmentId,
): Promise<boolean> {
  return database.transaction(async (sql) => {
    const changed = await sql.run(
      `update hold set in_force_at_ms = $at, in_vault_at_ms = coalesce(in_vault_at_ms, $at)
       where hold_id = $hold and segment_id = $segment and in_force_at_ms is null and released_at_ms is null`,
      { $at: at, $hold: hold, $segment: segment },
    );
    if (changed === 1) await append(sql, at, [{ kind: "hold.in-force", facts: { hold, segment } }]);
    return changed === 1;
  });
}

/**
 * Segments that nothing holds any more and that the vault was not yet seen to let go: also what is being destroyed
 * by now, and what a write left there that ended badly. Not what is being written this moment.
 */
export function holdsToLift(database: Database): Promise<readonly Segment[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `select distinct segment.* from hold indexed by hold_to_lift
       cross join segment on segment.id = hold.segment_id and segment.state <> 'destroyed'
       cross join copy on copy.segment_id = segment.id and copy.place = 'vault'
         and copy.state in ('present', 'leaving')
       where hold.released_at_ms is not null and hold.lifted_at_ms is null
         and not exists (
           select 1 from hold other where other.segment_id = segment.id and other.released_at_ms is null
         )
       limit 1000`,
    );
    return rows.map(segmentOfRow);
  });
}

/** Records that the vault was seen not to hold it any more. */
export function recordLifted(database: Database, at: Instant, id: SegmentId): Promise<number> {
  return database.transaction((sql) =>
    sql.run(
      `update hold set lifted_at_ms = $at
       where segment_id = $id and released_at_ms is not null and lifted_at_ms is null`,
      { $at: at, $id: id },
    ),
  );
}

export interface HoldCount {
  readonly requested: number;
  readonly inForce: number;
}

/** How many holds are asked for and how many are in force, in segments. */
export function countHolds(database: Database): Promise<HoldCount> {
  return database.transaction(async (sql) => {
    const [row] = await sql.all(
      `select count(*) as open, count(in_force_at_ms) as in_force from hold where released_at_ms is null`,
    );
    const inForce = number(row, "in_force");
    return { requested: number(row, "open") - inForce, inForce };
  });
}
