import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { instant } from "#base/time";
import { findSegments } from "../storage/catalog/find.ts";
import { countLeft } from "../storage/catalog/left.ts";
import { fastFolders } from "./fakes/fast-folders.ts";
import { inlinePool } from "./fakes/inline-pool.ts";
import { named, openRig, type Rig } from "./fakes/rig.ts";
import { openFakeSlots, writeFileOf } from "./fakes/slots.ts";
import { GONE, yankableCards } from "./fakes/yanked-card.ts";

const SLOTS = ["0000:00:14.0/1", "0000:00:14.0/2.1", "0000:00:14.0/2.2"] as const;
const YANKS = 200;

const yank = fc.record({
  sizes: fc.array(fc.integer({ min: 8, max: 3000 }), { minLength: 1, maxLength: 3 }),
  /** Of all that is read of the card, names included. */
  part: fc.integer({ min: 0, max: 1100 }).map((thousandths) => thousandths / 1000),
  how: fc.constantFrom(...GONE),
  slot: fc.constantFrom(...SLOTS),
  again: fc.constantFrom(...SLOTS),
  /** How long sysfs still has the device of a card that does not answer. */
  lagSeconds: fc.nat(3),
});

async function keptHashes(rig: Rig): Promise<readonly string[]> {
  const all = { device: undefined, from: instant(0), to: instant(9e12) };
  const segments = await findSegments(rig.database, all);
  return segments.map(({ plaintextSha256 }) => String(plaintextSha256)).toSorted();
}

describe("a camera that is pulled out", function () {
  this.timeout(120_000);

  it(`at any byte, ${YANKS} times, loses nothing: docked again in any slot, each file is kept once (DH-07)`, async () => {
    using _fast = fastFolders();
    using cards = yankableCards();
    await using rig = await openRig({ pool: inlinePool() });
    await using slots = await openFakeSlots(rig);
    slots.isThere = (folder) => !cards.isGone(folder);
    await slots.pair("bc-0101");
    const folder = join(slots.media, "sdb1");
    const expected: string[] = [];
    let early = 0;
    for (const [index, one] of fc.sample(yank, { numRuns: YANKS, seed: 6 }).entries()) {
      await rm(folder, { recursive: true, force: true });
      let total = 2;
      for (const [file, size] of one.sizes.entries()) {
        const content = Buffer.alloc(size, `${index} ${file} `);
        await writeFileOf(folder, named(index * 3 + file), content);
        expected.push(createHash("sha256").update(content).digest("hex"));
        total += size + 4;
      }
      cards.yankAfter(folder, Math.floor(total * one.part), one.how);
      await slots.plug(one.slot, "sdb1", "bc-0101");
      const isOver = (): boolean => cards.isGone(folder) || slots.state(one.slot) === "safe";
      assert.ok(await slots.until(isOver), `yank ${index}`);
      if (slots.state(one.slot) !== "safe") early += 1;
      await slots.until(() => false, one.lagSeconds);
      assert.notEqual(slots.state(one.slot), "failed", `yank ${index}`);
      slots.pull(one.slot);
      await slots.forget("sdb1");
      await slots.until(() => false, 1);
      assert.equal(slots.state(one.slot), "free");
      cards.plugIn(folder);
      await slots.plug(one.again, "sdb1", "bc-0101");
      assert.ok(
        await slots.until(() => slots.state(one.again) === "safe"),
        `docking ${index} ${JSON.stringify([one, slots.board.read(one.again), rig.said])}`,
      );
      slots.pull(one.again);
      await slots.forget("sdb1");
    }
    assert.ok(early > YANKS / 2, `${early} came while the card was being read`);
    assert.deepEqual(await keptHashes(rig), expected.toSorted());
    assert.deepEqual(await readdir(rig.sealing.incoming), []);
    assert.equal((await countLeft(rig.database)).files, 0);
    for (const event of ["file-left", "dock-delayed", "source-changed", "slot-failed", "gap"])
      assert.ok(!rig.said.includes(event), event);
    assert.ok(rig.said.filter((event) => event === "undocked-early").length > YANKS / 4);
  });
});
