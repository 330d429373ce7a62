import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { parseDeviceId } from "#base/ids";
import { joinSlots } from "../daemon/docks/join-slots.ts";
import { putAway } from "../daemon/helper/put-away.ts";
import type { InSlot } from "../daemon/pairing/in-slots.ts";
import { lookInSlotsOf } from "../daemon/pairing/look.ts";
import { readCardRecords } from "../drivers/bodycam/card-record.ts";
import { readUsbDevices } from "../drivers/bodycam/usb-devices.ts";
import { fat32Sector } from "./fakes/boot-sectors.ts";
import { type HelperRig, openHelperRig } from "./fakes/helper-rig.ts";
import { OTHER_SLOT, pairingOf, SLOT } from "./fakes/pairing.ts";
import { openRig } from "./fakes/rig.ts";

// Core, the root helper and the dock each by its own code, over files: what one writes the next believes.

async function openMachine() {
  const helper = await openHelperRig();
  const rig = await openRig();
  const { clock } = helper;
  const owner = process.getuid?.() ?? 0;
  const rules = { owner, media: helper.places.media, refused: assert.fail };
  const records = () => readCardRecords(helper.places.cards, rules);
  const devices = async () => await readUsbDevices(helper.places.sys);
  const look = lookInSlotsOf(clock, { devices, records });
  const present: InSlot[] = [];
  const pairing = pairingOf({ ...rig, folder: helper.places.state, key: helper.key }, present);
  return {
    helper,
    rig,
    pairing,
    /** What core then sees. */
    see: async () => {
      present.splice(0, present.length, ...(await look()));
      return pairing.devices();
    },
    /** What the dock then may read: by slot, the number or why not. */
    docked: async () => {
      const plugged = await devices();
      if (plugged === "no-usb") return [];
      const pairings = await pairing.pairings();
      return joinSlots(clock.bootId(), plugged, await records(), pairings).map(
        ({ slot, found }) => [
          slot,
          found.kind === "card" ? found.card.number : found.kind === "refused" ? found.why : "",
        ],
      );
    },
    async [Symbol.asyncDispose]() {
      await rig[Symbol.asyncDispose]();
      await helper[Symbol.asyncDispose]();
    },
  };
}

/** Pulls a card out and puts it in again. */
async function dockAgain(helper: HelperRig, name: string): Promise<void> {
  await putAway(helper.mounts, helper.places, name);
  await helper.takeUp(name);
}

describe("from an unknown device to a card that is read (DH-01)", () => {
  it("nobody reads it before it is paired, and each knows it afterwards until it is retired", async () => {
    await using machine = await openMachine();
    const { helper, pairing, see, docked } = machine;
    await helper.plug("3", "sdb");
    assert.deepEqual((await see())[0]?.unread, "not-looked");
    await assert.rejects(pairing.pair(), { code: "BODYCAM_REFUSED" });
    await helper.takeUp("sdb1");
    assert.ok(!helper.mounts.asked.includes("mount vfat"));
    assert.deepEqual(await docked(), [[SLOT, "unpaired"]]);
    const [unknown] = await see();
    assert.deepEqual([unknown?.slot, unknown?.unread], [SLOT, "unpaired"]);

    await pairing.pair();
    await dockAgain(helper, "sdb1");
    assert.ok(helper.mounts.asked.includes("mount vfat"));
    assert.deepEqual(await docked(), [[SLOT, "bc-0101"]]);
    assert.deepEqual((await see())[0]?.number, "bc-0101");

    await pairing.retire();
    assert.deepEqual(await docked(), [[SLOT, "unpaired"]]);
    await dockAgain(helper, "sdb1");
    assert.deepEqual(await docked(), [[SLOT, "unpaired"]]);
  });

  it("with another card it is refused by each, until somebody pairs it again", async () => {
    await using machine = await openMachine();
    const { helper, pairing, see, docked } = machine;
    await helper.plug("3", "sdb");
    await helper.takeUp("sdb1");
    await see();
    await pairing.pair();
    await putAway(helper.mounts, helper.places, "sdb1");
    await writeFile(join(helper.places.dev, "sdb1"), fat32Sector(0x99990000));
    await helper.takeUp("sdb1");
    assert.deepEqual(await docked(), [[SLOT, "unpaired"]]);
    assert.deepEqual((await see())[0]?.unread, "volume-changed");
    assert.equal((await pairing.pair()).changed, "volume");
    await dockAgain(helper, "sdb1");
    assert.deepEqual(await docked(), [[SLOT, "bc-0101"]]);
  });

  it("two with one serial are told apart by their file systems, and not at all without", async () => {
    await using machine = await openMachine();
    const { helper, pairing, see, docked } = machine;
    const forged = "0123456789ABCDEF";
    await helper.plug("3", "sdb", forged);
    await helper.plug("4", "sdc", forged);
    await helper.takeUp("sdb1");
    await helper.takeUp("sdc1");
    const unread = async () => (await see()).map((one) => one.unread);
    assert.deepEqual(await unread(), ["same-identity", "same-identity"]);
    await assert.rejects(pairing.pair(), { code: "BODYCAM_ALIKE" });
    await writeFile(join(helper.places.dev, "sdc1"), fat32Sector(0x99990000));
    await dockAgain(helper, "sdc1");
    assert.deepEqual(await unread(), ["unpaired", "unpaired"]);
    await pairing.pair();
    await pairing.pair({ slot: OTHER_SLOT, number: parseDeviceId("bc-0102") });
    await dockAgain(helper, "sdb1");
    await dockAgain(helper, "sdc1");
    assert.deepEqual(await docked(), [
      [SLOT, "bc-0101"],
      [OTHER_SLOT, "bc-0102"],
    ]);
    // A third one that looks like the first: of both nobody knows whose footage it is.
    await helper.plug("1", "sdd", forged);
    await helper.takeUp("sdd1");
    const third = "0000:00:14.0/2.1";
    assert.deepEqual(
      new Map((await docked()).map(([slot, what]) => [slot, what])).get(SLOT),
      "same-identity",
    );
    assert.deepEqual(
      new Map((await docked()).map(([slot, what]) => [slot, what])).get(third),
      "same-identity",
    );
    const seen = await see();
    assert.deepEqual(
      seen.filter((one) => one.number !== null).map(({ slot }) => slot),
      [OTHER_SLOT],
    );
  });
});
