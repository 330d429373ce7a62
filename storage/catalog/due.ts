import { parseSegmentId, type SegmentId } from "#base/ids";
import { DUE_MARGIN_MS } from "#base/term";
import type { Instant } from "#base/time";
import { addToBatch, closeBatch } from "./batches.ts";
import { number, optional, text } from "./row.ts";
import { type Segment, segmentOfRow } from "./segment-row.ts";
import type { Database, SqlRow } from "./sqlite.ts";

/** A segment to destroy, or that is being destroyed. */
export interface Doomed extends Segment {
  /** The version in the vault that the catalog knows; it may have more. */
  readonly versionId: string | undefined;
}

/** Due by its term, or once its lock has ended: the index `segment_due` has the same words. */
const DUE_MS = "coalesce(min(due_at_ms, locked_until_ms), due_at_ms)";

/**
 * Segments that were due at `now` and that nothing in the catalog holds, the longest overdue first. In a
 * locked bucket footage is due when its lock ends: from then on the bucket's own rule destroys it. "terms ended": not
 * before its term has ended too. The first `skip` are left out.
 */
export function dueSegments(
  database: Database,
  now: Instant,
  limit: number,
  which: "locks ended" | "terms ended" = "locks ended",
  skip = 0,
): Promise<readonly Doomed[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `select segment.*, copy.version_id from segment
       left join copy on copy.segment_id = segment.id and copy.place = 'vault'
       where segment.state in ('sealed', 'stored') and ${DUE_MS} <= $now and due_provisional = 0
         and ($locks = 1 or due_at_ms <= $now)
         and not exists (select 1 from hold where segment_id = segment.id and released_at_ms is null)
       order by ${DUE_MS}, segment.id limit $limit offset $skip`,
      { $now: now, $limit: limit, $skip: skip, $locks: which === "locks ended" ? 1 : 0 },
    );
    return rows.map(doomedOf);
  });
}

/**
 * Marks `ids` as to be destroyed, in one transaction with its ledger entry; returns those marked. One
 * that a hold has reached since it was read is left out: the catalog's own rule has the last word.
 * `afterReleaseMs`: how long after a release that came when the lock had ended a bucket's own rule may take; 0
 * where this box destroys.
 */
export function markDestroying(
  database: Database,
  at: Instant,
  ids: readonly SegmentId[],
  afterReleaseMs: number,
): Promise<readonly SegmentId[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `update segment set state = 'destroying', gone_by_ms = case when $afterRelease > 0 then
         (select max(released_at_ms) + $afterRelease from hold where segment_id = segment.id
          and released_at_ms > coalesce(segment.locked_until_ms, 0)) end
       where id in (select value from json_each($ids)) and state in ('sealed', 'stored')
         and not exists (select 1 from hold where segment_id = segment.id and released_at_ms is null)
       returning id`,
      { $ids: JSON.stringify(ids), $afterRelease: afterReleaseMs },
    );
    const marked = rows.map((row) => parseSegmentId(text(row, "id")));
    await addToBatch(
      sql,
      "destroying",
      at,
      marked.map((id) => ({ id, facts: { rule: "term" } })),
    );
    await closeBatch(sql, "destroying", at);
    return marked;
  });
}

/** A separate copy that is not gone: the procedure "Secure" removes it, when its medium is there. */
const WAITS_FOR_MEDIUM = `exists (
  select 1 from copy secured
  where secured.segment_id = segment.id and secured.place = 'secured' and secured.state <> 'gone')`;
const ELSEWHERE_GONE = `not exists (
  select 1 from copy other
  where other.segment_id = segment.id and other.place <> 'secured' and other.state <> 'gone')`;
/** Everything but the separate copy is gone: of a segment that is being destroyed. */
export const LEFT_ON_MEDIUM = `(${WAITS_FOR_MEDIUM} and ${ELSEWHERE_GONE})`;

/**
 * What is being destroyed and not yet gone, except what is being written to the vault this moment, what
 * a bucket's rule destroys (`watchedSegments`), and what is left on a separate medium only.
 */
export function destroyingSegments(
  database: Database,
  after: string,
  limit: number,
): Promise<readonly Doomed[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `select segment.*, case when copy.state <> 'gone' then copy.version_id end as version_id
       from segment
       left join copy on copy.segment_id = segment.id and copy.place = 'vault'
       where segment.state = 'destroying' and watched_since_ms is null and segment.id > $after
         and (copy.state is null or copy.state <> 'writing')
         and not ${LEFT_ON_MEDIUM}
       order by segment.id limit $limit`,
      { $after: after, $limit: limit },
    );
    return rows.map(doomedOf);
  });
}

/** How often each kind of thing was looked for and not seen again after destruction. */
export interface LookedAgain {
  readonly id: SegmentId;
  /** Versions removed from the vault. */
  readonly versions: number;
  /** The catalog knew a version, and the vault had none: gone before we came. */
  readonly missing: boolean;
  /** Who destroyed what was in the vault: this box, or the locked bucket by its own rule. */
  readonly by: "box" | "bucket";
  /** Markers that hide nothing any more and that the bucket had not yet tidied away. */
  readonly markers: number;
}

/**
 * Records that spool and vault have nothing of these any more and were looked at again. They are destroyed,
 * unless a separate copy still waits for its medium; returns those that are.
 */
export function recordDestroyed(
  database: Database,
  at: Instant,
  seen: readonly LookedAgain[],
): Promise<readonly SegmentId[]> {
  return database.transaction(async (sql) => {
    const $seen = JSON.stringify(seen);
    await sql.run(
      `update copy set state = 'gone', changed_at_ms = $at,
         removed = case place when 'vault' then coalesce(removed, 0) + seen.versions end
       from (select value ->> 'id' as id, value ->> 'versions' as versions from json_each($seen)) as seen
       where copy.segment_id = seen.id and copy.place <> 'secured'`,
      { $at: at, $seen },
    );
    const rows = await sql.all(
      `update segment set state = 'destroyed'
       where id in (select value ->> 'id' from json_each($seen)) and not ${WAITS_FOR_MEDIUM}
       returning id, (select removed from copy where segment_id = segment.id and place = 'vault') as versions,
         (select version_id from copy where segment_id = segment.id and place = 'vault') as version_id,
         (select removed from copy where segment_id = segment.id and place = 'secured') as secured`,
      { $seen },
    );
    const destroyed = rows.map((row) => destroyedFacts(row, seen));
    await addToBatch(sql, "destroyed", at, destroyed);
    return destroyed.map(({ id }) => id);
  });
}

function destroyedFacts(row: SqlRow, seen: readonly LookedAgain[]) {
  const id = parseSegmentId(text(row, "id"));
  const look = seen.find((one) => one.id === id);
  // Of one that the catalog knew no copy of in the vault, only this look can tell.
  const removed = optional(row, "versions", number);
  const versions = removed ?? look?.versions ?? 0;
  // What was never sent to a bucket was not destroyed by it either.
  const by = look?.by === "bucket" && removed !== undefined ? "bucket" : "box";
  const known = optional(row, "version_id", text) !== undefined;
  const missing = versions === 0 && known && by === "box";
  const secured = optional(row, "secured", number);
  return {
    id,
    facts: {
      versions,
      missing,
      left: look?.markers ?? 0,
      by,
      ...(secured === undefined ? {} : { secured }),
    },
  };
}

/**
 * How many segments are past their whole term and neither held nor gone: a breach of invariant 3. What a
 * locked bucket destroys after a late release has its time (`gone_by_ms`); what was released and waits for
 * its medium is told of by the procedure "Secure".
 */
export function countOverdue(database: Database, now: Instant): Promise<number> {
  return database.transaction(async (sql) => {
    const [row] = await sql.all(
      `select count(*) as count from segment
       where state in ('sealed', 'stored', 'destroying') and due_provisional = 0 and due_at_ms <= $now - ${DUE_MARGIN_MS}
         and coalesce(gone_by_ms, 0) <= $now
         and not exists (select 1 from hold where segment_id = segment.id and released_at_ms is null)
         and not ${LEFT_ON_MEDIUM}`,
      { $now: now },
    );
    return number(row, "count");
  });
}

/** How many segments are in each state, and how many left for the archive. Kept by triggers. */
export function countStates(database: Database): Promise<Readonly<Record<string, number>>> {
  return database.transaction(async (sql) => {
    const rows = await sql.all("select state, count from segment_count where count > 0");
    return Object.fromEntries(rows.map((row) => [text(row, "state"), number(row, "count")]));
  });
}

function doomedOf(row: SqlRow): Doomed {
  return { ...segmentOfRow(row), versionId: optional(row, "version_id", text) };
}
