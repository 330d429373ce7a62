import type { SegmentId } from "#base/ids";
import { parseSegmentId } from "#base/ids";
import type { Instant } from "#base/time";
import { append } from "../ledger/append.ts";
import { type MediumName, mediumNumber } from "./medium.ts";
import { moment, number, text } from "./row.ts";
import type { Database, Sql } from "./sqlite.ts";

/** What one person signed of a medium's destruction. */
export interface MediumStatement {
  readonly deskNumber: number;
  /** The entry's link in the desk's chain. */
  readonly link: string;
  /** Canonical JSON of what is stated. */
  readonly statement: string;
  readonly by: string;
  /** SHA-256 of the public key that signed. */
  readonly keySha256: string;
  readonly at: Instant;
}

export async function recordStatement(sql: Sql, one: MediumStatement): Promise<void> {
  await sql.run(
    `insert into medium_statement (desk_number, link, statement, by, key_sha256, at_ms)
     values ($number, $link, $statement, $by, $key, $at) on conflict do nothing`,
    {
      $number: one.deskNumber,
      $link: one.link,
      $statement: one.statement,
      $by: one.by,
      $key: one.keySha256,
      $at: one.at,
    },
  );
}

/** A statement that nobody has confirmed yet; undefined when there is none of that number. */
export async function openStatement(
  sql: Sql,
  deskNumber: number,
): Promise<MediumStatement | undefined> {
  const [row] = await sql.all(
    "select * from medium_statement where desk_number = $number and confirmed_number is null",
    { $number: deskNumber },
  );
  if (!row) return undefined;
  return {
    deskNumber,
    link: text(row, "link"),
    statement: text(row, "statement"),
    by: text(row, "by"),
    keySha256: text(row, "key_sha256"),
    at: moment(row, "at_ms"),
  };
}

export async function recordConfirmed(sql: Sql, deskNumber: number, by: number): Promise<void> {
  await sql.run("update medium_statement set confirmed_number = $by where desk_number = $number", {
    $number: deskNumber,
    $by: by,
  });
}

/** What went with a medium. */
export interface GoneWithMedium {
  /** Copies that nothing held. */
  readonly ended: number;
  /** Copies of footage that is held: it is to be copied anew. */
  readonly lost: readonly SegmentId[];
}

/**
 * Records that a medium, or what it had of `segments`, is destroyed, as people signed in the desk entries
 * `desk`. Undefined for a medium that this box has never met: it is another box's.
 */
export async function recordMediumDestroyed(
  sql: Sql,
  at: Instant,
  medium: MediumName,
  segments: "all" | readonly SegmentId[],
  signed: { readonly desk: readonly number[]; readonly by: readonly string[] },
): Promise<GoneWithMedium | undefined> {
  const id = await mediumNumber(sql, medium);
  if (id === undefined) return undefined;
  const rows = await sql.all(
    `select segment_id as id, exists (
       select 1 from hold where hold.segment_id = copy.segment_id and released_at_ms is null) as held
     from copy where place = 'secured' and state <> 'gone' and medium_id = $medium
       and ($all = 1 or segment_id in (select value from json_each($ids)))`,
    {
      $medium: id,
      $all: segments === "all" ? 1 : 0,
      $ids: JSON.stringify(segments === "all" ? [] : segments),
    },
  );
  const lost = rows
    .filter((row) => number(row, "held") === 1)
    .map((row) => parseSegmentId(text(row, "id")));
  await sql.run(
    `update copy set state = 'gone', removed = 0, changed_at_ms = $at
     where place = 'secured' and segment_id in (select value from json_each($ids))`,
    { $at: at, $ids: JSON.stringify(rows.map((row) => text(row, "id"))) },
  );
  if (segments === "all") {
    await sql.run(
      "update medium set destroyed_at_ms = $at where id = $id and destroyed_at_ms is null",
      { $at: at, $id: id },
    );
    // What was found there without a row went with it.
    await sql.run(
      `update breach set ended_at_ms = $at
       where looked = 'vault' and place = 'secured' and ended_at_ms is null`,
      { $at: at },
    );
  }
  const of = { medium: medium.kind, serial: medium.serial };
  const whole = segments === "all";
  const ids = rows.map((row) => text(row, "id"));
  // Which ones, where only some of it went: a catalog that is made again must know.
  const ended = whole ? {} : { ended: ids };
  const facts = { ...of, desk: signed.desk, by: signed.by, segments: ids.length, whole, ...ended };
  await append(sql, at, [{ kind: "medium.destroyed", facts }]);
  for (const segment of lost) await recordLost(sql, at, segment, of);
  return { ended: rows.length - lost.length, lost };
}

/** Records that a medium which is here has this copy no more. False when it left meanwhile, as it should. */
export function recordCopyLost(
  database: Database,
  at: Instant,
  segment: SegmentId,
  medium: MediumName,
): Promise<boolean> {
  return database.transaction(async (sql) => {
    const lost = await sql.run(
      `update copy set state = 'gone', removed = 0, changed_at_ms = $at
       where segment_id = $id and place = 'secured' and state = 'present' and medium_id = $medium`,
      { $at: at, $id: segment, $medium: (await mediumNumber(sql, medium)) ?? null },
    );
    if (lost === 0) return false;
    await recordLost(sql, at, segment, { medium: medium.kind, serial: medium.serial });
    return true;
  });
}

/** Its holds are asked for again, and in force once it has another separate copy. */
async function recordLost(
  sql: Sql,
  at: Instant,
  segment: SegmentId,
  of: { readonly medium: string; readonly serial: string },
): Promise<void> {
  const rows = await sql.all(
    `update hold set secured_at_ms = null, in_force_at_ms = null
     where segment_id = $id and released_at_ms is null returning hold_id`,
    { $id: segment },
  );
  const holds = rows.map((row) => text(row, "hold_id"));
  await append(sql, at, [{ kind: "secured.lost", facts: { ...of, segment, holds } }]);
}
