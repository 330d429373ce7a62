import assert from "node:assert/strict";
import { copyFile, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { HOUR_MS, MINUTE_MS } from "#base/time";
import { passUntil } from "../daemon/demo/simulated-clock.ts";
import { catalogPath, vaultFolder } from "../daemon/places.ts";
import { makeAgain } from "../daemon/rebuild.ts";
import { verifyBox } from "../daemon/verify.ts";
import {
  forgetHeads,
  type LostBox,
  type LostBoxes,
  MOMENTS,
  openLostBoxes,
} from "./fakes/lost-box.ts";
import { NEVER } from "./fakes/rig.ts";
import { assertSame, assertSameRows, bothOf, rowsOf } from "./fakes/same-as-lost.ts";
import { whileRunning } from "./fakes/site.ts";

const NOTHING_KNOWN = { verifier: undefined, atLeast: 0 };

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
      await assertSameRows(box, signed);
      const [count] = await rowsOf(copy, "select count(*) as n from entry");
      if (moment !== "nothing was taken")
        await assertSame(
          box,
          `select * from segment where entry_seq < ${Number(count?.["n"])} and id <> '${box.ids["spoolOnly"]}' order by id`,
          ["state"],
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
