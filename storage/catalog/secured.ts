import { type HoldId, parseHoldId, type SegmentId } from "#base/ids";
import type { Instant } from "#base/time";
import { append } from "../ledger/append.ts";
import { type MediumName, mediumNumber } from "./medium.ts";
import { moment, optional, text } from "./row.ts";
import { type Segment, segmentOfRow } from "./segment-row.ts";
import type { Database, Sql } from "./sqlite.ts";

const HELD = "exists (select 1 from hold where segment_id = segment.id and released_at_ms is null)";

/** A held segment that lacks its separate copy (*veiliggestelde kopie*), and where its bytes are. */
export interface ToSecure {
  readonly segment: Segment;
  /** Whether the spool has it. */
  readonly spool: boolean;
  /** The version that the vault has. */
  readonly versionId: string | undefined;
  /** A copy that other holds brought there; these have only to be told. */
  readonly present: boolean;
  /** It may still lie on this medium in part, whole, or not any more: it was being written there, or removed. */
  readonly leavingFrom: MediumName | undefined;
}

/** Held segments with a hold that the separate medium does not yet serve, by id, after `after`. */
export function segmentsToSecure(
  database: Database,
  after: string,
  limit: number,
): Promise<readonly ToSecure[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `select segment.*, spool.state as spool, vault.state as vault, vault.version_id,
         secured.state as secured, medium.kind, medium.serial
       from segment
       left join copy spool on spool.segment_id = segment.id and spool.place = 'spool'
       left join copy vault on vault.segment_id = segment.id and vault.place = 'vault'
       left join copy secured on secured.segment_id = segment.id and secured.place = 'secured'
       left join medium on medium.id = secured.medium_id
       where segment.id in (
         select segment_id from hold indexed by hold_to_secure
         where secured_at_ms is null and released_at_ms is null and segment_id > $after
           and exists (select 1 from segment where id = hold.segment_id)
         group by segment_id order by segment_id limit $limit)
       order by segment.id`,
      { $after: after, $limit: limit },
    );
    return rows.map((row) => {
      const inVault = optional(row, "vault", text) === "present";
      const state = optional(row, "secured", text);
      return {
        segment: segmentOfRow(row),
        spool: ["present", "leaving"].includes(optional(row, "spool", text) ?? ""),
        versionId: inVault ? optional(row, "version_id", text) : undefined,
        present: state === "present",
        leavingFrom:
          state === "leaving" || state === "writing"
            ? { kind: text(row, "kind"), serial: text(row, "serial") }
            : undefined,
      };
    });
  });
}

/** Says that bytes of `id` may from now on be on the medium. False when nothing holds it any more. */
export function intendSecure(
  database: Database,
  id: SegmentId,
  medium: MediumName,
  at: Instant,
): Promise<boolean> {
  return database.transaction(async (sql) => {
    const changed = await sql.run(
      `insert into copy (segment_id, place, state, bytes, changed_at_ms, medium_id)
       select id, 'secured', 'writing', ciphertext_bytes, $at, $medium from segment
       where id = $id and ${HELD}
       on conflict (segment_id, place) do update
       set state = 'writing', changed_at_ms = $at, medium_id = $medium, version_id = null,
         sha256 = null, removed = null`,
      { $id: id, $at: at, $medium: (await mediumNumber(sql, medium)) ?? null },
    );
    return changed === 1;
  });
}

/**
 * Records that the medium was seen to have the same bytes. Nothing is recorded when the hold was released
 * meanwhile: what is there then leaves.
 */
export function recordSecured(
  database: Database,
  at: Instant,
  id: SegmentId,
  seen: { readonly versionId: string; readonly sha256: string },
): Promise<readonly HoldId[]> {
  return database.transaction(async (sql) => {
    await sql.run(
      `update copy set state = 'present', version_id = $version, sha256 = $sha256, changed_at_ms = $at
       where segment_id = $id and place = 'secured' and state = 'writing'
         and exists (select 1 from hold where segment_id = $id and released_at_ms is null)`,
      { $id: id, $version: seen.versionId, $sha256: seen.sha256, $at: at },
    );
    return tellHolds(sql, at, id);
  });
}

/** Records for holds that came later that the medium had their footage already. */
export function recordServed(
  database: Database,
  at: Instant,
  id: SegmentId,
): Promise<readonly HoldId[]> {
  return database.transaction((sql) => tellHolds(sql, at, id));
}

async function tellHolds(sql: Sql, at: Instant, id: SegmentId): Promise<readonly HoldId[]> {
  const rows = await sql.all(
    `select hold.hold_id, hold.owner, copy.sha256, medium.kind, medium.serial, medium.identity from hold
     join copy on copy.segment_id = hold.segment_id and copy.place = 'secured' and copy.state = 'present'
     join medium on medium.id = copy.medium_id
     where hold.segment_id = $id and hold.released_at_ms is null and hold.secured_at_ms is null
     order by hold.hold_id`,
    { $id: id },
  );
  for (const row of rows) {
    const facts = {
      hold: text(row, "hold_id"),
      segment: id,
      medium: text(row, "kind"),
      serial: text(row, "serial"),
      // What the medium says of itself: a catalog that is made again knows it by that.
      identity: text(row, "identity"),
      sha256: text(row, "sha256"),
      by: optional(row, "owner", text) ?? null,
    };
    await append(sql, at, [{ kind: "hold.secured", facts }]);
  }
  await sql.run(
    `update hold set secured_at_ms = $at where segment_id = $id
       and hold_id in (select value from json_each($holds)) and secured_at_ms is null`,
    { $id: id, $at: at, $holds: JSON.stringify(rows.map((row) => text(row, "hold_id"))) },
  );
  return rows.map((row) => parseHoldId(text(row, "hold_id")));
}

/** A separate copy that is to be removed, and since when nobody may keep it. */
export interface LeavingSecured {
  readonly segment: Segment;
  readonly medium: MediumName;
  readonly releasedAt: Instant | undefined;
}

/**
 * Calls `leaving` every separate copy that nothing holds any more; returns how many. A card may have been emptied
 * because its file was on the medium (invariant 1): where no vault has that file yet, its copy stays as long as its
 * release came after `releasedAfter`, so that what we remove ourselves does not leave one copy.
 */
export function freeSecured(
  database: Database,
  at: Instant,
  releasedAfter: Instant,
): Promise<number> {
  return database.transaction((sql) =>
    sql.run(
      `update copy set state = 'leaving', changed_at_ms = $at
       where place = 'secured' and state in ('writing', 'present') and not exists (
         select 1 from hold where segment_id = copy.segment_id and released_at_ms is null)
         and not exists (select 1 from segment where id = copy.segment_id and state = 'sealed'
           and source_path is not null and (select max(released_at_ms) from hold
             where segment_id = copy.segment_id) > $releasedAfter)`,
      { $at: at, $releasedAfter: releasedAfter },
    ),
  );
}

/** Separate copies to remove and that nothing has come to hold since, by id, after `after`. */
export function leavingSecured(
  database: Database,
  after: string,
  limit: number,
): Promise<readonly LeavingSecured[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `select segment.*, medium.kind as medium_kind, medium.serial as medium_serial,
         (select max(released_at_ms) from hold where segment_id = segment.id) as released_at_ms
       from copy cross join segment on segment.id = copy.segment_id
       join medium on medium.id = copy.medium_id
       where copy.place = 'secured' and copy.state = 'leaving' and not ${HELD}
         and segment.id > $after
       order by segment.id limit $limit`,
      { $after: after, $limit: limit },
    );
    return rows.map((row) => ({
      segment: segmentOfRow(row),
      medium: { kind: text(row, "medium_kind"), serial: text(row, "medium_serial") },
      releasedAt: optional(row, "released_at_ms", moment),
    }));
  });
}

/** Records that the separate copy of `id` is gone from its medium and was looked for again. */
export function recordUnsecured(
  database: Database,
  at: Instant,
  { segment, medium }: LeavingSecured,
  versions: number,
): Promise<void> {
  return database.transaction(async (sql) => {
    const changed = await sql.run(
      `update copy set state = 'gone', removed = $versions, changed_at_ms = $at
       where segment_id = $id and place = 'secured' and state = 'leaving'`,
      { $id: segment.id, $versions: versions, $at: at },
    );
    if (changed !== 1) return;
    const { kind, serial } = medium;
    const facts = { segment: segment.id, medium: kind, serial, versions, left: 0 };
    await append(sql, at, [{ kind: "secured.destroyed", facts }]);
  });
}
