import { parseSegmentId } from "#base/ids";
import type { Instant } from "#base/time";
import { addToBatch, closeBatch } from "../catalog/batches.ts";
import { type Gap, recordGaps } from "../catalog/gaps.ts";
import { IS_SOMEWHERE } from "../catalog/nowhere.ts";
import { number, text } from "../catalog/row.ts";
import { type Segment, segmentOfRow } from "../catalog/segment-row.ts";
import type { Database, Sql } from "../catalog/sqlite.ts";

const AT_ONCE = 1000;

/** Rows of batches say so of this segment. */
const TOLD_OF = (kind: string) => `exists (
  select 1 from batch_row join batch on batch.id = batch_row.batch_id
  where batch_row.segment_id = segment.id and batch.kind = '${kind}')`;
const HELD = `exists (
  select 1 from hold where segment_id = segment.id and released_at_ms is null)`;
/** An open order to wipe speaks of it, and what comes of that is told by its name. */
const TO_WIPE = "exists (select 1 from wipe_file where segment_id = segment.id)";
const NAMELESS = `source_path = case when ${TO_WIPE} then source_path end,
       source_modified_at_ms = case when ${TO_WIPE} then source_modified_at_ms end`;
/** The version that was recorded as stored. */
const STORED_AS = `(
  select batch_row.body ->> 'version' from batch_row join batch on batch.id = batch_row.batch_id
  where batch_row.segment_id = segment.id and batch.kind = 'stored'
  order by batch_row.batch_id desc limit 1)`;

/**
 * Brings each segment to where its box had brought it, by the rows of its batches and by what the vault has.
 * What these entries do not cover is recorded with entries of its own. Spool copies are recorded before.
 */
export async function settleStates(database: Database, at: Instant): Promise<void> {
  await database.transaction(async (sql) => {
    await vaultCopies(sql);
    await storedByRows(sql);
    await locksByRows(sql);
    await destroyedByRows(sql);
  });
  while (await database.transaction((sql) => storedUntold(sql, at)));
  while (await database.transaction((sql) => giveUpLost(sql, at)));
  let after: string | undefined = "";
  while (after !== undefined) {
    const from: string = after;
    after = await database.transaction((sql) => tellHeldLost(sql, at, from));
  }
}

/**
 * The recorded version, if it is there; else the first that has the right length; else the recorded one, missing.
 * An upload that had failed may have been made since.
 */
async function vaultCopies(sql: Sql): Promise<void> {
  await sql.run(
    `insert into copy (segment_id, place, state, version_id, bytes, changed_at_ms)
     select id, 'vault', 'present', version, ciphertext_bytes, arrived_at_ms from (
       select segment.*, coalesce(
         (select version_id from found where segment_id = segment.id and version_id = ${STORED_AS}),
         (select version_id from found where segment_id = segment.id and bytes = ciphertext_bytes
          order by place limit 1),
         ${STORED_AS}
       ) as version from segment
     ) where version is not null
     on conflict (segment_id, place) do update
     set state = 'present', version_id = excluded.version_id
     where copy.state = 'writing' or (copy.state <> 'present'
       and exists (select 1 from segment where id = copy.segment_id and state = 'sealed'))`,
  );
}

async function storedByRows(sql: Sql): Promise<void> {
  await sql.run(
    `update segment set state = 'stored' where state = 'sealed' and ${TOLD_OF("stored")}`,
  );
}

/** Until when a locked bucket keeps what it has, as it was told then. */
async function locksByRows(sql: Sql): Promise<void> {
  await sql.run(
    `update segment set locked_until_ms = cast(round(unixepoch(told.until, 'subsec') * 1000) as integer) from (
       select segment_id, batch_row.body ->> 'lockedUntil' as until
       from batch_row join batch on batch.id = batch_row.batch_id
       where batch.kind = 'stored' and batch_row.body ->> 'lockedUntil' is not null
     ) as told where told.segment_id = segment.id and segment.locked_until_ms is null`,
  );
}

/** Held footage is never destroyed, whatever a row says: its own rule in the catalog would refuse it. */
async function destroyedByRows(sql: Sql): Promise<void> {
  await sql.run(
    `update segment set state = 'destroying' where state in ('sealed', 'stored') and not ${HELD}
       and (${TOLD_OF("destroying")} or ${TOLD_OF("destroyed")})`,
  );
  await sql.run(
    `update copy set state = 'gone' where segment_id in (
       select id from segment where state = 'destroying' and ${TOLD_OF("destroyed")})`,
  );
  await sql.run(
    `update segment set state = 'destroyed' where state = 'destroying' and ${TOLD_OF("destroyed")}`,
  );
}

/** The vault has it and no row says so: it was stored after the last head, or its rows were never put. */
async function storedUntold(sql: Sql, at: Instant): Promise<boolean> {
  const rows = await sql.all(
    `update segment set state = 'stored' where id in (
       select segment.id from segment join copy on copy.segment_id = segment.id
       where segment.state = 'sealed' and copy.place = 'vault' and copy.state = 'present'
       limit ${AT_ONCE})
     returning id, (select version_id from copy where segment_id = id and place = 'vault') as version`,
  );
  await addToBatch(
    sql,
    "stored",
    at,
    rows.map((row) => ({
      id: parseSegmentId(text(row, "id")),
      facts: { version: text(row, "version") },
    })),
  );
  await closeBatch(sql, "stored", at);
  return rows.length === AT_ONCE;
}

/**
 * What was in the lost spool only is nowhere any more: marked to be destroyed, so that it is looked for
 * everywhere once more, and a gap where its term was not over. Its name on the card is forgotten: else a card that
 * still has it would count as read, and lose the last copy (invariant 1).
 */
async function giveUpLost(sql: Sql, at: Instant): Promise<boolean> {
  const rows = await sql.all(
    `update segment set state = 'destroying',
       ${NAMELESS}
     where id in (
       select id from segment where state = 'sealed' and not ${HELD} and not ${IS_SOMEWHERE}
       limit ${AT_ONCE})
     returning *`,
  );
  const lost = rows.map(segmentOfRow);
  const facts = { rule: "lost" };
  await addToBatch(
    sql,
    "destroying",
    at,
    lost.map(({ id }) => ({ id, facts })),
  );
  await closeBatch(sql, "destroying", at);
  await recordGaps(sql, at, lost.filter(({ dueAt }) => dueAt > at).map(gapOf));
  return rows.length === AT_ONCE;
}

/**
 * Held footage is never destroyed, also where nothing is left of it: its row stays, with its hold, and is a gap as well. Its card
 * is forgotten likewise, and may have it still. Returns the last one, after which there may be more.
 */
async function tellHeldLost(sql: Sql, at: Instant, after: string): Promise<string | undefined> {
  const rows = await sql.all(
    `update segment set ${NAMELESS} where id in (
       select id from segment where id > $after and state = 'sealed' and ${HELD} and not ${IS_SOMEWHERE}
       order by id limit ${AT_ONCE})
     returning *`,
    { $after: after },
  );
  const lost = rows.map(segmentOfRow).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  await recordGaps(sql, at, lost.map(gapOf));
  return rows.length === AT_ONCE ? lost.at(-1)?.id : undefined;
}

function gapOf({ id, device, startedAt, endedAt = startedAt }: Segment): Gap {
  return { id, device, startedAt, endedAt, cause: "box-lost" };
}

/** What the new catalog has, for people and for its entry. */
export interface Restored {
  readonly stored: number;
  readonly sealed: number;
  readonly destroying: number;
  readonly destroyed: number;
  readonly archived: number;
  /** Were in the lost spool only. */
  readonly lost: number;
  /** The ledger says that the vault has them, and it has not. */
  readonly missing: number;
  /** Held, and nowhere. */
  readonly heldLost: number;
  /** The vault has bytes of segments that were destroyed. */
  readonly returned: number;
}

export function countRestored(sql: Sql): Promise<Restored> {
  return sql
    .all(
      `select ${["stored", "sealed", "destroying", "destroyed", "archived"]
        .map((state) => `(select count from segment_count where state = '${state}') as ${state},`)
        .join(" ")}
       (select count(*) from batch_row join batch on batch.id = batch_row.batch_id
        where batch.kind = 'destroying' and batch_row.body ->> 'rule' = 'lost') as lost,
       (select count(*) from copy join segment on segment.id = copy.segment_id
        where copy.place = 'vault' and copy.state = 'present' and segment.state = 'stored' and not exists (
          select 1 from found where segment_id = copy.segment_id and version_id = copy.version_id)) as missing,
       (select count(*) from segment where state = 'sealed' and not ${IS_SOMEWHERE}) as held_lost,
       (select count(distinct segment_id) from found join segment on segment.id = found.segment_id
        where segment.state = 'destroyed') as returned`,
    )
    .then(([row]) => ({
      stored: number(row, "stored"),
      sealed: number(row, "sealed"),
      destroying: number(row, "destroying"),
      destroyed: number(row, "destroyed"),
      archived: number(row, "archived"),
      lost: number(row, "lost"),
      missing: number(row, "missing"),
      heldLost: number(row, "held_lost"),
      returned: number(row, "returned"),
    }));
}
