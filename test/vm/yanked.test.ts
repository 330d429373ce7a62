import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { untilTold } from "./box.ts";
import { makeCard } from "./cards.ts";
import type { DockedBox } from "./docked-box.ts";
import type { Guest } from "./guest.ts";
import { ownBox } from "./own-box.ts";

describe("a box with a camera that does not stay", () => {
  let box: DockedBox;
  let guest: Guest;

  ownBox(async (opened) => {
    box = opened;
    ({ guest } = box);
    const contents = await box.recorded(660, 6_000_000);
    await makeCard(box.cardOf("BC-0001"), "fat32", 64, "CAM1", contents);
    await box.confirmTime();
  });

  it("loses nothing of a camera that is pulled out in mid-copy, and takes it when it is back in any slot", async () => {
    await box.plug("BC-0001", "3", { bytesPerSecond: 400_000 });
    await box.untilRecord('"serial":"BC-0001"', '"refused":"unpaired"');
    await box.pair("bc-0201", "3", "generic-dcim");
    await guest.until("find /srv/bewaard/spool/incoming -name '*.partial' | grep .");
    await box.unplug("BC-0001", "3");
    await untilTold(guest, "undocked-early");
    assert.equal(await box.segmentsInVault(), 0);
    // So that what comes next begins where an order lies there.
    await guest.sh("systemctl stop bewaard-orders.path");
    await box.plug("BC-0001", "6");
    await untilTold(guest, "stored");
    assert.equal(await box.segmentsInVault(), 1);
  });

  it("goes on with a wipe when it was killed in the midst of it", async () => {
    await untilTold(guest, "wipe-ordered");
    await guest.sh(
      "systemctl kill -s KILL bewaard bewaard-dock && systemctl start bewaard-orders.path",
    );
    await untilTold(guest, "wiped");
    await untilTold(guest, "slot-done");
    assert.equal((await guest.sh("systemctl show -p NRestarts --value bewaard")).trim(), "1");
    assert.equal(await box.segmentsInVault(), 1);
    assert.equal(await box.timesTold("wipe-failed"), 0);
  });
});
