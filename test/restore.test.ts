import assert from "node:assert/strict";
import { copyFile } from "node:fs/promises";
import { after, before, describe, it } from "mocha";
import { catalogPath } from "../daemon/places.ts";
import { makeAgain } from "../daemon/rebuild.ts";
import { verifyBox } from "../daemon/verify.ts";
import { openDatabase, type SqlRow } from "../storage/catalog/sqlite.ts";
import { type LostBox, type LostBoxes, MOMENTS, openLostBoxes } from "./fakes/lost-box.ts";
import { NEVER } from "./fakes/rig.ts";

const NOTHING_KNOWN = { verifier: undefined, atLeast: 0 };

async function rowsOf(path: string, query: string): Promise<readonly SqlRow[]> {
  await using database = await openDatabase(path);
  return await database.transaction((sql) => sql.all(query));
}

/** The rows of `query` in the lost catalog and in the new one, without `forgotten` columns. */
async function bothOf(box: LostBox, query: string, forgotten: readonly string[] = []) {
  const known = (row: SqlRow) =>
    Object.fromEntries(Object.entries(row).filter(([name]) => !forgotten.includes(name)));
  const was = (await rowsOf(box.catalog, query)).map(known);
  return [(await rowsOf(catalogPath(box.config), query)).map(known), was] as const;
}

/** What came after the copy and nobody could know again: uptime of a machine that is no more, names on cards. */
const SINCE = ["arrived_boot_id", "arrived_uptime_ms", "source_path", "source_modified_at_ms"];

describe("a catalog put back from a copy of it, and from what the vault knows since", function () {
  this.timeout(240_000);
  let boxes: LostBoxes;
  before(async () => {
    boxes = await openLostBoxes();
  });
  after(() => boxes[Symbol.asyncDispose]());

  for (const moment of MOMENTS) {
    it(`when ${moment} has every row of the lost one, but for what nobody could know (invariants 5, 6)`, async () => {
      const box = await boxes.again();
      const copy = box.moments[moment];
      const begin = async (path: string) => {
        await copyFile(copy, path);
        return { key: "backup/dock-1/20260601T000000Z.age" };
      };
      const report = await makeAgain(box.site.clock, box.config, NOTHING_KNOWN, begin, NEVER);
      const { signed, lost, adopted, missing } = report;
      const { clock } = box.site;
      const { findings } = await verifyBox(clock, box.config, "hashes", () => undefined, NEVER);
      assert.deepEqual(findings, []);
      const same = async (query: string, forgotten?: readonly string[]) => {
        const [is, was] = await bothOf(box, query, forgotten);
        assert.deepEqual(is, was, query);
        assert.ok(is.length > 0, query);
      };
      const [count] = await rowsOf(copy, "select count(*) as n from entry");
      const from = Number(count?.["n"]);
      await same(`select * from entry where seq < ${signed} order by seq`);
      await same(`select * from tree_node where level = 0 and position < ${signed}`);
      await same(`select size, note from checkpoint where size <= ${signed} order by size`);
      await same("select * from device");
      await same(`select * from batch where entry_seq < ${signed} order by id`);
      await same(
        `select * from batch_row where batch_id in (select id from batch where entry_seq < ${signed})
       order by batch_id, position`,
      );
      await same("select * from hold order by hold_id, segment_id", ["lifted_at_ms"]);
      await same(`select * from gap where entry_seq < ${signed}`);
      await same(`select * from segment where entry_seq < ${signed} order by id`, [
        ...SINCE,
        "state",
      ]);
      if (moment !== "nothing was taken")
        await same(`select * from segment where entry_seq < ${from} order by id`, ["state"]);
      await same(
        `select segment_id, state, version_id, bytes from copy where place = 'vault'
       and segment_id <> '${box.ids["spoolOnly"]}' order by segment_id`,
      );
      assert.deepEqual({ lost, adopted, missing }, { lost: 1, adopted: 1, missing: 0 });
    });
  }
});
