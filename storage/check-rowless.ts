import { lstat, opendir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "#base/errors";
import { type NodeId, parseSegmentId, type SegmentId } from "#base/ids";
import { segmentOfRow } from "./catalog/segment-row.ts";
import type { Database } from "./catalog/sqlite.ts";
import type { Kept } from "./check.ts";
import type { Finding } from "./findings.ts";
import type { Spool } from "./spool/spool.ts";
import { footageKey, footagePrefix, segmentOf } from "./vault/keys.ts";

// The box goes on working while it is looked at. So what no row speaks of is looked at again before it is told.

/** Files in the ring that no row speaks of. */
export async function* rowlessInSpool({ spool, database }: Kept): AsyncGenerator<Finding> {
  const root = join(spool.path, "segments");
  for await (const day of await opendir(root)) {
    if (!day.isDirectory()) {
      yield { invariant: 6, what: `segments/${day.name} is no day's folder` };
      continue;
    }
    for await (const file of await opendir(join(root, day.name))) {
      const [, name] = /^([0-7][0-9A-HJKMNP-TV-Z]{25})\.age$/.exec(file.name) ?? [];
      const id = name === undefined ? undefined : parseSegmentId(name);
      const known = async () => id !== undefined && (await copyKnown(database, id, "spool"));
      if (await known()) continue;
      // Unlinked since it was listed; or renamed a moment ago, and its row comes: its manifest goes after it.
      if (!(await isThere(join(root, day.name, file.name)))) continue;
      if (id !== undefined && (await isOffered(spool, id))) continue;
      if (await known()) continue;
      if (!(await isThere(join(root, day.name, file.name)))) continue;
      yield { invariant: 6, what: `segments/${day.name}/${file.name} has no row` };
    }
  }
}

async function isOffered(spool: Spool, id: SegmentId): Promise<boolean> {
  const root = join(spool.path, "incoming");
  for (const producer of await readdir(root))
    if (await isThere(join(root, producer, `${id}.json`))) return true;
  return false;
}

/** Versions and unfinished writes in the vault that no row speaks of. */
export async function* rowlessInVault(
  { vault, node, database }: Kept,
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  const prefix = footagePrefix(node);
  const unknown = async (key: string): Promise<boolean> =>
    !(await keyKnown(database, node, key, "vault"));
  // What was destroyed since it was listed is unknown, and gone.
  const isRowless = async (key: string, still: () => Promise<boolean>): Promise<boolean> =>
    (await unknown(key)) && (await still()) && (await unknown(key));
  for (const key of await vault.unfinished(prefix)) {
    const still = async () => (await vault.unfinished(prefix)).includes(key);
    if (await isRowless(key, still)) yield rowless(key);
  }
  let last = "";
  for await (const { key } of vault.list(prefix, signal)) {
    const still = async () => (await vault.versions(key)).length > 0;
    if (key !== last && (await isRowless(key, still))) yield rowless(key);
    last = key;
  }
}

function rowless(key: string): Finding {
  return { invariant: 6, what: `${key} in the vault has no row` };
}

/**
 * Whether a row says that a copy lies, or may lie, under exactly `key`. The id alone says nothing: somebody may have
 * put the same footage under another name.
 */
export async function keyKnown(
  database: Database,
  node: NodeId,
  key: string,
  place: "vault" | "secured",
): Promise<boolean> {
  const id = segmentOf(key);
  if (id === undefined) return false;
  const found = await database.transaction((sql) =>
    sql.all(
      `select segment.* from copy join segment on segment.id = copy.segment_id
       where segment_id = $id and place = $place and copy.state <> 'gone'`,
      { $id: id, $place: place },
    ),
  );
  return found
    .map(segmentOfRow)
    .some(({ device, startedAt }) => footageKey(node, device, startedAt, id) === key);
}

async function copyKnown(database: Database, id: SegmentId, place: "spool"): Promise<boolean> {
  const found = await database.transaction((sql) =>
    sql.all("select 1 from copy where segment_id = $id and place = $place and state <> 'gone'", {
      $id: id,
      $place: place,
    }),
  );
  return found.length > 0;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}
