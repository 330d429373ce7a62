import assert from "node:assert/strict";
import { catalogPath } from "../../daemon/places.ts";
import { openDatabase, type SqlRow } from "../../storage/catalog/sqlite.ts";
import type { LostBox } from "./lost-box.ts";

/** What nobody could know again: uptime of a machine that is no more, names on cards. */
const FORGOTTEN = ["arrived_boot_id", "arrived_uptime_ms", "source_path", "source_modified_at_ms"];

export async function rowsOf(path: string, query: string): Promise<readonly SqlRow[]> {
  await using database = await openDatabase(path);
  return await database.transaction((sql) => sql.all(query));
}

/** The rows of `query` in the new catalog and in the lost one, without `forgotten` columns. */
export async function bothOf(box: LostBox, query: string, forgotten: readonly string[] = []) {
  const known = (row: SqlRow) =>
    Object.fromEntries(Object.entries(row).filter(([name]) => !forgotten.includes(name)));
  const was = (await rowsOf(box.catalog, query)).map(known);
  return [(await rowsOf(catalogPath(box.config), query)).map(known), was] as const;
}

/** There are such rows, and they are the lost ones. */
export async function assertSame(box: LostBox, query: string, forgotten?: readonly string[]) {
  const [is, was] = await bothOf(box, query, forgotten);
  assert.deepEqual(is, was, query);
  assert.ok(is.length > 0, query);
}

/** Each row of the lost catalog is in the new one, but for what nobody could know; `signed` entries were under its newest head. */
export async function assertSameRows(box: LostBox, signed: number): Promise<void> {
  await assertSame(box, `select * from entry where seq < ${signed} order by seq`);
  await assertSame(box, `select * from tree_node where level = 0 and position < ${signed}`);
  await assertSame(box, `select size, note from checkpoint where size <= ${signed} order by size`);
  await assertSame(box, "select * from device");
  await assertSame(box, `select * from batch where entry_seq < ${signed} order by id`);
  await assertSame(
    box,
    `select * from batch_row where batch_id in (select id from batch where entry_seq < ${signed})
     order by batch_id, position`,
  );
  // When the vault was seen to have lifted a hold is in no entry: it is lifted, and seen, again.
  await assertSame(box, "select * from hold order by hold_id, segment_id", ["lifted_at_ms"]);
  await assertSame(box, `select * from gap where entry_seq < ${signed}`);
  await assertSame(box, `select * from segment where entry_seq < ${signed} order by id`, [
    ...FORGOTTEN,
    "state",
  ]);
  await assertSame(
    box,
    `select segment_id, state, version_id, bytes from copy where place = 'vault'
     and segment_id <> '${box.ids["spoolOnly"]}' order by segment_id`,
  );
}

/** Of what came after the head only what the object says is known. */
export function assertSameAfter(box: LostBox, signed: number): Promise<void> {
  const unsaid = ["time_source", "clock_declared", "entry_seq"];
  const query = `select * from segment where entry_seq >= ${signed}`;
  return assertSame(box, query, [...FORGOTTEN, ...unsaid]);
}
