import assert from "node:assert/strict";
import { copyFile, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { HOUR_MS, MINUTE_MS } from "#base/time";
import { passUntil } from "../daemon/demo/simulated-clock.ts";
import { catalogPath, vaultFolder } from "../daemon/places.ts";
import { makeAgain } from "../daemon/rebuild.ts";
import { verifyBox } from "../daemon/verify.ts";
import { openDatabase, type SqlRow } from "../storage/catalog/sqlite.ts";
import {
  forgetHeads,
  type LostBox,
  type LostBoxes,
  MOMENTS,
  openLostBoxes,
} from "./fakes/lost-box.ts";
import { NEVER } from "./fakes/rig.ts";
import { whileRunning } from "./fakes/site.ts";

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
      const report = await restored(box, copy);
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
        await same(
          `select * from segment where entry_seq < ${from} and id <> '${box.ids["spoolOnly"]}' order by id`,
          ["state"],
        );
      await same(
        `select segment_id, state, version_id, bytes from copy where place = 'vault'
       and segment_id <> '${box.ids["spoolOnly"]}' order by segment_id`,
      );
      assert.deepEqual({ lost, adopted, missing }, { lost: 1, adopted: 1, missing: 0 });
    });
  }

  it("lives on: a file that was lost with the box is taken anew from its card, and no other is (invariants 1, 3)", async () => {
    const box = await boxes.again();
    const { site, config } = box;
    await restored(box, box.moments["all was stored"]);
    await whileRunning(
      site,
      async (ask, signal) => {
        const found = async () =>
          (await ask("find", { device: null, fromMs: 0, toMs: 4e12 })).segments;
        const stored = async () =>
          (await found()).filter(({ state }) => state === "stored").length === 7;
        assert.ok(await passUntil(site.clock, MINUTE_MS, 6 * HOUR_MS, stored, signal));
        assert.equal((await found()).length, 9);
        assert.deepEqual((await ask("verify", { depth: "hashes" })).findings, []);
      },
      config,
    );
  });

  for (const moment of ["all was stored", "one was destroyed", "all of it was signed"] as const)
    it(`when ${moment} remembers that the desk was heard up to the newest head: a release kept back counts no more`, async () => {
      const box = await boxes.again();
      const copy = box.moments[moment];
      await restored(box, copy);
      const catalog = catalogPath(box.config);
      const [head] = await rowsOf(catalog, "select max(at_ms) as at from checkpoint");
      const [is] = await rowsOf(catalog, HEARD);
      const [was] = await rowsOf(copy, HEARD);
      const heard = Math.max(Number(head?.["at"]), Number(was?.["ends"] ?? 0));
      assert.deepEqual({ ...is }, { number: 4, heard, ends: heard });
    });

  it("believes what was in the copy and under no head yet, for that was signed as well", async () => {
    const box = await boxes.again();
    const { copy, published, entries: here } = await aheadOfItsHead(box);
    await forgetHeads(box.config, published);
    const { signed, entries } = await restored(box, copy);
    assert.ok(signed === here && entries > signed);
    const [is, was] = await bothOf(box, `select * from entry where seq < ${here} order by seq`);
    assert.deepEqual(is, was);
    const { clock } = box.site;
    const { findings } = await verifyBox(clock, box.config, "rows", () => undefined, NEVER);
    assert.deepEqual(findings, []);
  });

  it("is refused where the vault has other entries than the copy, signed or not, or hides heads it knows of", async () => {
    const box = await boxes.again();
    const { copy, published } = await aheadOfItsHead(box);
    await forgetHeads(box.config, published);
    const folder = join(vaultFolder(box.config.vault), "ledger/dock-1/entries");
    const name =
      (await readdir(folder)).find((one) => Number.parseInt(one, 10) === published) ?? "";
    const [version = ""] = await readdir(join(folder, name));
    const body = join(folder, name, version, "body");
    const text = await readFile(body, "utf8");
    await rm(body);
    await writeFile(body, text.replace(/"at":"20(\d\d)/, '"at":"21$1'));
    await assert.rejects(restored(box, copy), /another one than here/);
    const again = await boxes.again();
    const last = again.moments["all of it was signed"];
    const newest = Number((await rowsOf(last, PUBLISHED))[0]?.["size"]);
    await forgetHeads(again.config, newest - 1);
    await assert.rejects(restored(again, last), /newer ones are hidden, or gone/);
  });
});

/** A copy that has entries beyond the newest head that had left its box, and does not have all. */
async function aheadOfItsHead(box: LostBox) {
  for (const moment of MOMENTS) {
    const copy = box.moments[moment];
    const published = Number((await rowsOf(copy, PUBLISHED))[0]?.["size"]);
    const entries = Number((await rowsOf(copy, "select count(*) as n from entry"))[0]?.["n"]);
    if (published > 0 && entries > published && moment !== "one was overwritten")
      return { copy, published, entries };
  }
  throw new Error("each was covered by a head");
}

const HEARD = `select value ->> 'number' as number, value ->> 'heardAtMs' as heard,
  value ->> 'endAtMs' as ends from fact where name = 'desk'`;
const PUBLISHED = "select max(size) as size from checkpoint where published_at_ms is not null";

function restored(box: LostBox, copy: string) {
  const begin = async (path: string) => {
    await copyFile(copy, path);
    return { key: "backup/dock-1/20260601T000000Z.age" };
  };
  return makeAgain(box.site.clock, box.config, NOTHING_KNOWN, begin, NEVER);
}
