import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "#base/errors";
import { DUE_MARGIN_MS, TERM_LIMIT_MS } from "#base/term";
import { type Instant, instant } from "#base/time";
import type { Overdue } from "./catalog/breaches.ts";
import { moment, text } from "./catalog/row.ts";
import type { Database, Sql } from "./catalog/sqlite.ts";
import { begunAt } from "./spool/incoming.ts";
import type { Spool } from "./spool/spool.ts";

/** More than this at once are not told one by one: then something else is wrong. */
const AT_MOST = 10_000;

/**
 * What this box has that is older than its term and not held, in every place that it can see without the
 * vault: by its rows, wherever a copy of it is; in quarantine; in incoming/; and in the ring without a row.
 * `afterReleaseMs`: what was held past its term must be gone so long after its release (DH-09, AR-29).
 */
export async function overdueHere(
  database: Database,
  spool: Spool,
  afterReleaseMs: number,
  now: Instant,
): Promise<readonly Overdue[]> {
  const rows = await database.transaction((sql) => byRows(sql, afterReleaseMs, now));
  const found = [...rows].slice(0, AT_MOST);
  for await (const file of inFolders(database, spool, now)) {
    if (found.length >= AT_MOST) break;
    found.push(file);
  }
  return found;
}

/** `gone_by_ms`: what a locked bucket destroys after a late release has its time. */
async function byRows(sql: Sql, afterReleaseMs: number, now: Instant): Promise<readonly Overdue[]> {
  const segments = await sql.all(
    `select * from (
       select id, max(due_at_ms + ${DUE_MARGIN_MS}, coalesce(gone_by_ms, 0), coalesce((
           select max(released_at_ms) + $afterRelease from hold
           where segment_id = segment.id and released_at_ms > due_at_ms), 0)) as since_ms, (
         select min(place) from copy where segment_id = segment.id and copy.state <> 'gone'
       ) as place
       from segment
       where state in ('sealed', 'stored', 'destroying') and due_provisional = 0
         and due_at_ms <= $now - ${DUE_MARGIN_MS}
         and not exists (select 1 from hold where segment_id = segment.id and released_at_ms is null))
     where since_ms <= $now limit ${AT_MOST}`,
    { $now: now, $afterRelease: afterReleaseMs },
  );
  const quarantined = await sql.all(
    `select id, due_at_ms + ${DUE_MARGIN_MS} as since_ms, 'quarantine' as place from quarantine
     where destroyed_at_ms is null and due_provisional = 0 and due_at_ms <= $now - ${DUE_MARGIN_MS}
     limit ${AT_MOST}`,
    { $now: now },
  );
  return [...segments, ...quarantined].map((row) => ({
    what: text(row, "id"),
    place: placeOf(row["place"]),
    since: moment(row, "since_ms"),
  }));
}

// One that is nowhere any more and is still being destroyed was last looked for in the vault.
function placeOf(place: unknown): Overdue["place"] {
  return place === "spool" || place === "secured" || place === "quarantine" ? place : "vault";
}

/** By the moment in its name, else by its last change: when it came here, and not before. */
async function* inFolders(
  database: Database,
  spool: Spool,
  now: Instant,
): AsyncGenerator<Overdue, void, undefined> {
  for (const [folder, place] of [
    ["incoming", "incoming"],
    ["segments", "spool"],
  ] as const) {
    for await (const inner of await opendir(join(spool.path, folder))) {
      if (!inner.isDirectory()) continue;
      for await (const { name } of await opendir(join(spool.path, folder, inner.name))) {
        const path = join(spool.path, folder, inner.name, name);
        const came = begunAt(name) ?? (await changedAt(path));
        if (came === undefined || came + TERM_LIMIT_MS > now) continue;
        if (place === "spool" && (await hasRow(database, name))) continue;
        const what = `${folder}/${inner.name}/${shown(name)}`;
        yield { what, place, since: instant(Math.trunc(came + TERM_LIMIT_MS)) };
      }
    }
  }
}

/** What a row speaks of is found by its row. */
async function hasRow(database: Database, name: string): Promise<boolean> {
  const rows = await database.transaction((sql) =>
    sql.all(
      `select 1 from copy join segment on segment.id = copy.segment_id
       where copy.segment_id = $id and place = 'spool' and copy.state <> 'gone'
         and segment.state <> 'destroyed'`,
      { $id: name.slice(0, 26) },
    ),
  );
  return rows.length > 0;
}

/** A name that a producer made is an id; another could be a person's. */
function shown(name: string): string {
  return begunAt(name) === undefined ? "(another name)" : name;
}

async function changedAt(path: string): Promise<number | undefined> {
  try {
    return (await lstat(path)).mtimeMs;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
