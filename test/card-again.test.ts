import assert from "node:assert/strict";
import { rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { MINUTE_MS, plus } from "#base/time";
import { inlinePool } from "./fakes/inline-pool.ts";
import { rowsOf } from "./fakes/medium.ts";
import { named, openRig, type Rig, START } from "./fakes/rig.ts";
import { type FakeSlots, openFakeSlots, writeFileOf } from "./fakes/slots.ts";

const SLOT = "0000:00:14.0/2.1";
const CARD = "sdb1";

async function openSlots() {
  const rig = await openRig({ pool: inlinePool() });
  const slots = await openFakeSlots(rig);
  return {
    rig,
    slots,
    folder: join(slots.media, CARD),
    async [Symbol.asyncDispose]() {
      await slots[Symbol.asyncDispose]();
      await rig[Symbol.asyncDispose]();
    },
  };
}

/** As `writeFileOf`, last changed so many minutes after the start. */
async function write(folder: string, name: string, content: string, minutes: number) {
  await writeFileOf(folder, name, content);
  const at = plus(START, minutes * MINUTE_MS) / 1000;
  await utimes(join(folder, name), at, at);
}

/** Docks the camera until its slot is safe, and takes it out again. */
async function dock(slots: FakeSlots): Promise<void> {
  await slots.plug(SLOT, CARD, "bc-0101");
  const isSafe = await slots.until(() => slots.state(SLOT) === "safe");
  assert.ok(isSafe, JSON.stringify(slots.board.read(SLOT)));
  slots.pull(SLOT);
  await slots.forget(CARD);
  assert.ok(await slots.until(() => slots.state(SLOT) === "free"));
}

async function kept(rig: Rig): Promise<number> {
  return (await rowsOf(rig, "select id from segment")).length;
}

describe("a file that is on the card again at the next docking", () => {
  it("with a new time of change and the same bytes is the one it was: the card is safe, and nothing is kept twice", async () => {
    await using open = await openSlots();
    const { rig, slots, folder } = open;
    await slots.pair("bc-0101");
    await write(folder, named(0), "een opname", 1);
    await write(folder, "LOG/usb.log", "docked", 2);
    await dock(slots);
    // A camera that writes the same line at each docking.
    for (const minutes of [60, 120]) {
      await write(folder, "LOG/usb.log", "docked", minutes);
      await dock(slots);
    }
    assert.equal(await kept(rig), 2);
    const [row] = await rowsOf(rig, "select max(source_modified_at_ms) as at from segment");
    assert.equal(row?.["at"], plus(START, 120 * MINUTE_MS));
    assert.deepEqual(await rig.check("hashes"), []);
  });

  it("after it was wiped is another recording, whatever its name, length and time of change: it is taken (invariant 1)", async () => {
    await using open = await openSlots();
    const { rig, slots, folder } = open;
    await slots.pair("bc-0101");
    // The battery was empty: its clock began at the same moment both times.
    await write(folder, named(0), "de eerste", 1);
    await dock(slots);
    await rig.storeOnce();
    await rowsOf(rig, `update segment set wiped_at_ms = ${START}`);
    await rm(join(folder, named(0)));
    await write(folder, named(0), "de tweede", 1);
    await dock(slots);
    assert.equal(await kept(rig), 2);
  });

  it("after it was wiped, with the same bytes, is the one it was: it is on its card again", async () => {
    await using open = await openSlots();
    const { rig, slots, folder } = open;
    await slots.pair("bc-0101");
    await write(folder, named(0), "een opname", 1);
    await dock(slots);
    await rig.storeOnce();
    await rowsOf(rig, `update segment set wiped_at_ms = ${START}`);
    await dock(slots);
    const rows = await rowsOf(rig, "select wiped_at_ms as at from segment");
    assert.deepEqual(
      rows.map((row) => row["at"]),
      [null],
    );
  });
});
