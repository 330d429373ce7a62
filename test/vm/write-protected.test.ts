import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { untilTold } from "./box.ts";
import { makeCard, namesOn } from "./cards.ts";
import type { DockedBox } from "./docked-box.ts";
import type { Guest } from "./guest.ts";
import { ownBox } from "./own-box.ts";

describe("a box with a write-protected card", () => {
  let box: DockedBox;
  let guest: Guest;

  ownBox(async (opened) => {
    box = opened;
    ({ guest } = box);
    await makeCard(box.cardOf("BC-0001"), "fat32", 64, "CAM1", await box.recorded(770));
  });

  it("takes what is on a write-protected card, says that the camera may go, and orders nothing of it", async () => {
    await box.plug("BC-0001", "4", { readOnly: true });
    await box.confirmTime();
    await box.untilRecord('"serial":"BC-0001"', '"refused":"unpaired"');
    await box.pair("bc-0201", "4", "generic-dcim");
    await untilTold(guest, "stored");
    await untilTold(guest, "slot-safe", 1, { WHY: "write-protected" });
    assert.equal(await box.timesTold("wipe-ordered"), 0);
  });

  it("knows it again when the machine was started anew with the card in its slot", async () => {
    await guest.reboot();
    const told = await guest.sh("journalctl -b -1 -u bewaard -o cat --no-pager");
    assert.match(told, /"event":"stopped"/);
    await untilTold(guest, "slot-safe");
    assert.equal(await box.timesTold("sealed"), 0);
    await box.unplug("BC-0001", "4");
    assert.match(await namesOn(box.cardOf("BC-0001")), /MP4/);
    await box.untilNoRecord();
  });
});
