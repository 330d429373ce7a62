import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DAY_MS } from "#base/time";
import { hold, openDisk, release, rowsOf, secureOnce, unplug } from "./fakes/medium.ts";
import { named, openRig, type Rig } from "./fakes/rig.ts";
import { openWiping, recorded, type Wiping } from "./fakes/wiping.ts";

/** A box whose site says `second-medium`, with one file on the card that is held, and with the medium. */
async function openHeld(rig: Rig) {
  const disk = await openDisk(rig);
  const id = await recorded(rig, "one", named(0));
  await rig.adoptOnce();
  await hold(rig, id);
  await secureOnce(rig, disk);
  const wiping = await openWiping(rig, { rule: { after: "second-medium", how: "overwrite" } });
  return { disk, wiping };
}

async function wipe(wiping: Wiping): Promise<void> {
  assert.notEqual((await wiping.ask()).nonce, null);
  await wiping.help();
  await wiping.settle();
  assert.deepEqual(await wiping.card(), []);
}

async function separate(rig: Rig): Promise<unknown> {
  const [row] = await rowsOf(rig, "select state from copy where place = 'secured'");
  return row?.["state"];
}

describe("a card of a site that says wipe_after: second-medium", () => {
  it("is emptied of what the separate medium has, and only where the site says so (AR-20)", async () => {
    await using rig = await openRig();
    const { wiping } = await openHeld(rig);
    assert.equal((await (await openWiping(rig)).ask()).waiting, 1);
    await wiping.ask();
    assert.equal((await wiping.orders())[0]?.how, "overwrite");
    await wipe(wiping);
    assert.deepEqual(await rig.check(), []);
  });

  it("keeps what nobody holds until the vault has it: no medium ever does (invariant 1)", async () => {
    await using rig = await openRig();
    const { disk, wiping } = await openHeld(rig);
    await recorded(rig, "two", named(1));
    await rig.adoptOnce();
    await secureOnce(rig, disk);
    const { nonce, waiting, forbidden } = await wiping.ask();
    assert.deepEqual([nonce === null, waiting, forbidden], [false, 1, 0]);
    await wiping.help();
    await wiping.settle();
    assert.deepEqual(await wiping.card(), [named(1)]);
    await rig.storeOnce();
    await wipe(wiping);
  });

  it("leaves its file in two places when the hold is released, until the vault has it (invariant 1)", async () => {
    await using rig = await openRig();
    const { disk, wiping } = await openHeld(rig);
    await wipe(wiping);
    await release(rig);
    await secureOnce(rig, disk);
    assert.equal(await separate(rig), "present");
    await rig.storeOnce();
    await secureOnce(rig, disk);
    assert.equal(await separate(rig), "gone");
    assert.deepEqual(await rig.check(), []);
  });

  it("does so for no longer than the law allows a separate copy (DH-09, AR-29)", async () => {
    await using rig = await openRig();
    const { disk, wiping } = await openHeld(rig);
    await wipe(wiping);
    await release(rig);
    rig.clock.move(4 * DAY_MS);
    await secureOnce(rig, disk);
    assert.equal(await separate(rig), "gone");
  });

  it("keeps what the medium is about to lose (invariant 1)", async () => {
    await using rig = await openRig();
    const { disk, wiping } = await openHeld(rig);
    await release(rig);
    await unplug(rig);
    rig.clock.move(4 * DAY_MS);
    await secureOnce(rig, disk);
    assert.equal(await separate(rig), "leaving");
    assert.equal((await wiping.ask()).waiting, 1);
  });
});
