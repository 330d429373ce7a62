import { parseSegmentId, type SegmentId } from "#base/ids";
import type { Instant } from "#base/time";
import { addToBatch, closeBatch } from "./batches.ts";
import { recordGaps } from "./gaps.ts";
import { moment, number, text } from "./row.ts";
import { type Segment, segmentOfRow } from "./segment-row.ts";
import type { Database, Sql, SqlRow } from "./sqlite.ts";

// What the ring may overwrite, in the order of docs/design.md, procedure "Ring".

/** How many copies leave in one transaction: few commits, and nobody else waits long for theirs. */
const AT_ONCE = 1000;

const HELD = `exists (
  select 1 from hold where segment_id = segment.id and released_at_ms is null)`;
/** A hold that was not read back from the vault: the spool copy may be all there is to hold. */
const ASKED = `exists (
  select 1 from hold
  where segment_id = segment.id and released_at_ms is null and in_force_at_ms is null)`;
const SECURED = `exists (
  select 1 from copy elsewhere
  where elsewhere.segment_id = segment.id and elsewhere.place = 'secured'
    and elsewhere.state = 'present')`;
const IN_VAULT = `exists (
  select 1 from copy elsewhere
  where elsewhere.segment_id = segment.id and elsewhere.place = 'vault' and elsewhere.state = 'present')`;

/** Marks copies that make up `bytes`, or fewer when there are no more; returns how many. */
export type Mark = (database: Database, at: Instant, bytes: number) => Promise<number>;

/** Bytes of footage in the ring. One row, kept by triggers. */
export function spoolBytes(database: Database): Promise<number> {
  return database.transaction(async (sql) => {
    const [row] = await sql.all("select bytes from spool_use");
    return number(row, "bytes");
  });
}

/** Marks the oldest spool copies that the vault has and that nothing holds (AR-27). */
export const markStored: Mark = (database, at, bytes) =>
  database.transaction((sql) => markCopies(sql, at, bytes, `not ${HELD}`));

/**
 * Marks the oldest spool copies of held footage that is safe elsewhere: on the separate medium, or in the
 * vault with every hold on it read back. Never the last copy (invariant 4).
 */
export const markSecured: Mark = (database, at, bytes) =>
  database.transaction((sql) =>
    markCopies(sql, at, bytes, `${HELD} and (not ${ASKED} or ${SECURED})`),
  );

async function markCopies(sql: Sql, at: Instant, bytes: number, allowed: string): Promise<number> {
  const rows = await sql.all(
    `select segment.id, copy.bytes from copy indexed by copy_evictable
     cross join segment on segment.id = copy.segment_id
     where copy.place = 'spool' and copy.state = 'present' and copy.stored = 1
       and segment.state = 'stored' and ${IN_VAULT} and ${allowed}
     order by copy.changed_at_ms, copy.segment_id limit ${AT_ONCE}`,
  );
  const ids = upTo(rows, bytes).map((row) => text(row, "id"));
  await markLeaving(sql, at, ids);
  return ids.length;
}

/**
 * Gives up footage that the vault does not have and nothing holds, the oldest recording first: marks it
 * `destroying` by the rule "ring", with a gap for each, in one transaction. Gives up nothing when even all
 * of it would not make up `bytes`. Leaves what is being written to the vault this moment.
 */
export function markUnstored(
  database: Database,
  at: Instant,
  bytes: number,
): Promise<readonly Segment[]> {
  return database.transaction(async (sql) => {
    const allowed = `from segment
      cross join copy on copy.segment_id = segment.id and copy.place = 'spool' and copy.state = 'present'
      where segment.state = 'sealed' and not ${HELD} and not exists (
        select 1 from copy elsewhere
        where elsewhere.segment_id = segment.id and elsewhere.state in ('writing', 'present')
          and elsewhere.place <> 'spool')`;
    const [all] = await sql.all(`select coalesce(sum(copy.bytes), 0) as bytes ${allowed}`);
    if (number(all, "bytes") < bytes) return [];
    const rows = await sql.all(
      `select segment.*, copy.bytes ${allowed} order by segment.started_at_ms limit ${AT_ONCE}`,
    );
    const segments = upTo(rows, bytes).map(segmentOfRow);
    if (segments.length > 0) await giveUp(sql, at, segments);
    return segments;
  });
}

async function giveUp(sql: Sql, at: Instant, segments: readonly Segment[]): Promise<void> {
  const ids = segments.map(({ id }) => id);
  await sql.run(
    "update segment set state = 'destroying' where id in (select value from json_each($ids))",
    { $ids: JSON.stringify(ids) },
  );
  await markLeaving(sql, at, ids);
  const facts = { rule: "ring" };
  await addToBatch(
    sql,
    "destroying",
    at,
    ids.map((id) => ({ id, facts })),
  );
  await closeBatch(sql, "destroying", at);
  await recordGaps(
    sql,
    at,
    // The gap has the id of what is missing: it can be found from either side.
    segments.map(({ id, device, startedAt, endedAt = startedAt }) => {
      return { id, device, startedAt, endedAt, cause: "ring-overwritten" };
    }),
  );
}

/** The first rows whose bytes make up `bytes`; all of them when they do not. */
function upTo(rows: readonly SqlRow[], bytes: number): readonly SqlRow[] {
  let sum = 0;
  const enough = rows.findIndex((row) => {
    sum += number(row, "bytes");
    return sum >= bytes;
  });
  return enough === -1 ? rows : rows.slice(0, enough + 1);
}

async function markLeaving(sql: Sql, at: Instant, ids: readonly string[]): Promise<void> {
  await sql.run(
    `update copy set state = 'leaving', changed_at_ms = $at
     where place = 'spool' and state = 'present' and segment_id in (select value from json_each($ids))`,
    { $at: at, $ids: JSON.stringify(ids) },
  );
}

/** A spool copy on its way out. */
export interface LeavingCopy {
  readonly id: SegmentId;
  readonly arrivedAt: Instant;
  readonly bytes: number;
  /** A hold has come since it was marked, and is not safe elsewhere yet: the copy stays if it still can. */
  readonly wanted: boolean;
}

/** Up to 1,000 spool copies being evicted with an id after `after`, also those a crash left so. */
export function leavingCopies(database: Database, after: string): Promise<readonly LeavingCopy[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `select segment.id, segment.arrived_at_ms, copy.bytes, (${ASKED} and not ${SECURED}) as wanted
       from copy indexed by copy_evicting cross join segment on segment.id = copy.segment_id
       where copy.place = 'spool' and copy.state = 'leaving' and copy.segment_id > $after
       order by copy.segment_id limit ${AT_ONCE}`,
      { $after: after },
    );
    return rows.map((row) => ({
      id: parseSegmentId(text(row, "id")),
      arrivedAt: moment(row, "arrived_at_ms"),
      bytes: number(row, "bytes"),
      wanted: number(row, "wanted") === 1,
    }));
  });
}

/** Records in one transaction which files are gone from the ring, and which were spared for a hold. */
export function recordEvicted(
  database: Database,
  at: Instant,
  gone: readonly SegmentId[],
  spared: readonly SegmentId[],
): Promise<void> {
  return database.transaction(async (sql) => {
    await sql.run(
      `update copy set state = 'present', changed_at_ms = $at
       where place = 'spool' and state = 'leaving' and segment_id in (select value from json_each($ids))`,
      { $at: at, $ids: JSON.stringify(spared) },
    );
    // Whatever was destroyed at the same time has said so itself.
    const rows = await sql.all(
      `update copy set state = 'gone', changed_at_ms = $at
       where place = 'spool' and state = 'leaving' and segment_id in (select value from json_each($ids))
       returning segment_id as id`,
      { $at: at, $ids: JSON.stringify(gone) },
    );
    const facts = { place: "spool" };
    await addToBatch(
      sql,
      "evicted",
      at,
      rows.map((row) => ({ id: parseSegmentId(text(row, "id")), facts })),
    );
    await closeBatch(sql, "evicted", at);
  });
}
