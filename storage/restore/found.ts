import type { NodeId } from "#base/ids";
import type { Database, Sql } from "../catalog/sqlite.ts";
import { footagePrefix, segmentOf } from "../vault/keys.ts";
import type { ObjectVersion, Vault } from "../vault/vault.ts";

const VERSIONS_AT_ONCE = 2000;

/**
 * Notes every version of footage that the vault has, in a table of this connection's own, so that it is
 * listed once and compared in the catalog. Returns how many.
 */
export async function noteFound(
  database: Database,
  vault: Vault,
  node: NodeId,
  signal: AbortSignal,
): Promise<number> {
  await database.transaction((sql) =>
    sql.script(
      `create temp table found (
         segment_id text, key text not null, version_id text not null, bytes integer not null,
         place integer primary key);
       create index found_segment on found (segment_id);`,
    ),
  );
  let count = 0;
  let pending: ObjectVersion[] = [];
  const flush = async (): Promise<void> => {
    const some = pending;
    pending = [];
    await database.transaction((sql) => insert(sql, some));
  };
  for await (const version of vault.list(footagePrefix(node), signal)) {
    pending.push(version);
    count += 1;
    if (pending.length === VERSIONS_AT_ONCE) await flush();
  }
  await flush();
  return count;
}

/**
 * Takes the name of a segment from what lies under another key than its row says: it is no copy of it, whatever is
 * in it. To be called once the segments have their rows.
 */
export function forgetMisplaced(database: Database, node: NodeId): Promise<number> {
  return database.transaction((sql) =>
    sql.run(
      `update found set segment_id = null where key <> (
         select $prefix || device_id || strftime('/%Y/%m/%d/%H%M%SZ-', started_at_ms / 1000, 'unixepoch')
           || id || '.age' from segment where id = found.segment_id)`,
      { $prefix: footagePrefix(node) },
    ),
  );
}

async function insert(sql: Sql, versions: readonly ObjectVersion[]): Promise<void> {
  const rows = versions.map(({ key, versionId, bytes }) => [
    segmentOf(key) ?? null,
    key,
    versionId,
    bytes,
  ]);
  await sql.run(
    `insert into found (segment_id, key, version_id, bytes)
     select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each($rows)`,
    { $rows: JSON.stringify(rows) },
  );
}
