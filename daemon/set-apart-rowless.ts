import { mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { ulid } from "ulid";
import { syncDirectory } from "#base/durable";
import { type Instant, instant } from "#base/time";
import { recordQuarantined } from "../storage/catalog/quarantined.ts";
import { text } from "../storage/catalog/row.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { begunAt } from "../storage/spool/incoming.ts";
import { quarantineFolder, type Spool } from "../storage/spool/spool.ts";
import { dueFromArrival, type Term } from "./term.ts";

/**
 * Sets apart what lies in a surviving ring and no row of a new catalog speaks of: it came after the last head
 * that left the box. It is footage; of which camera nobody can say. Its term runs from the moment in its name.
 * Then records what quarantine has, and what the lost disk took from it. Returns how many files were set apart.
 */
export async function setApartRowless(
  database: Database,
  spool: Spool,
  term: Term,
  now: Instant,
): Promise<number> {
  let count = 0;
  const root = join(spool.path, "segments");
  for (const day of await readdir(root)) {
    for (const name of await readdir(join(root, day))) {
      if (await hasCopy(database, name)) continue;
      await moveApart(spool, join(root, day), name, now);
      count += 1;
    }
  }
  await recordFolders(database, spool, term, now);
  return count;
}

async function hasCopy(database: Database, name: string): Promise<boolean> {
  const rows = await database.transaction((sql) =>
    sql.all(
      `select 1 from copy where segment_id || '.age' = $name and segment_id = $id
         and place = 'spool' and state = 'present'`,
      { $name: name, $id: name.slice(0, 26) },
    ),
  );
  return rows.length > 0;
}

async function moveApart(spool: Spool, from: string, name: string, now: Instant): Promise<void> {
  const folder = quarantineFolder(spool, ulid(now));
  await mkdir(folder, { mode: 0o700 });
  await rename(join(from, name), join(folder, name));
  await syncDirectory(folder);
  await syncDirectory(join(spool.path, "quarantine"));
  await syncDirectory(from);
}

async function recordFolders(
  database: Database,
  spool: Spool,
  term: Term,
  now: Instant,
): Promise<void> {
  const root = join(spool.path, "quarantine");
  const there = new Set(await readdir(root));
  const rows = await database.transaction((sql) =>
    sql.all("select id from quarantine where destroyed_at_ms is null"),
  );
  const known = new Set(rows.map((row) => text(row, "id")));
  const gone = JSON.stringify([...known.difference(there)]);
  await database.transaction((sql) =>
    sql.run(
      "update quarantine set destroyed_at_ms = $now where id in (select value from json_each($gone))",
      { $now: now, $gone: gone },
    ),
  );
  for (const id of there.difference(known)) {
    if (begunAt(`${id}.`) === undefined) continue;
    const since = await oldestIn(join(root, id), now);
    await recordQuarantined(database, now, {
      id,
      producer: "unknown",
      name: Buffer.alloc(0),
      code: "LEDGER_NOT_FOUND",
      arrivedAt: since,
      dueAt: dueFromArrival(since, term),
      dueProvisional: false,
    });
  }
}

/** Of what a folder has, the earliest moment in a name. */
async function oldestIn(folder: string, now: Instant): Promise<Instant> {
  const names = await readdir(folder);
  return instant(Math.min(now, ...names.flatMap((name) => begunAt(name) ?? [])));
}
