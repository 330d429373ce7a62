import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { asBewaard, OWN_PROFILE, untilTold } from "./box.ts";
import { makeCard, namesOn } from "./cards.ts";
import { type DockedBox, XHCI } from "./docked-box.ts";
import type { Guest } from "./guest.ts";
import { copyExfatCard } from "./installed.ts";
import { ownBox } from "./own-box.ts";

describe("a box with systemd, udev and USB, installed from the package", () => {
  let box: DockedBox;
  let guest: Guest;

  ownBox(async (opened) => {
    box = opened;
    ({ guest } = box);
    await makeCard(box.cardOf("BC-0001"), "fat32", 64, "CAM1", await box.recorded(440));
    await copyExfatCard(box.cardOf("BC-0002"));
  });

  it("answers, is told the time, and systemd finds its units safe", async () => {
    const status = await guest.sh(asBewaard("bewaarctl --json status"));
    assert.match(status, /^\{"site":"den-haag-handhaving","node":"dock-1",/);
    await box.confirmTime();
    for (const unit of ["bewaard", "bewaard-dock"])
      assert.match(await guest.sh(`systemd-analyze security ${unit} | tail -n 1`), / [01]\.\d /);
  });

  it("takes no card that nobody has paired, and looks at each once (DH-01)", async () => {
    await box.plug("BC-0001", "5");
    await box.plug("BC-0002", "6");
    await box.untilRecord('"serial":"BC-0001"', '"refused":"unpaired"');
    await box.untilRecord('"serial":"BC-0002"', '"refused":"unpaired"');
    assert.equal((await guest.exec("findmnt -t vfat,exfat")).out, "");
    const units = await guest.sh(
      "systemctl list-units --all --plain --no-legend 'bewaard-media@*'",
    );
    assert.deepEqual(
      units.match(/@\w+/g)?.map((one) => one.replace(/[a-z]1$/, "?1")),
      ["@sd?1", "@sd?1"],
    );
    // The box hears udev, and does not only look now and then (docs/decisions/0030).
    assert.equal(await box.timesTold("no-usb"), 0);
  });

  it("mounts cards once they are paired, for its dock alone and read-only", async () => {
    await box.pair("bc-0201", "5", "generic-dcim");
    await box.pair("bc-0202", "6", OWN_PROFILE);
    await box.untilRecord('"number":"bc-0201"', `"slot":"${XHCI}/5"`);
    await box.untilRecord('"number":"bc-0202"', '"kind":"exfat"');
    const options = (await guest.sh("findmnt -rn -t vfat,exfat -o VFS-OPTIONS")).trim().split("\n");
    assert.equal(options.length, 2);
    for (const one of options) assert.match(one, /^ro,nosuid,nodev,noexec,.*nosymfollow/);
    const written = await guest.exec("runuser -u bewaard-dock -- touch /run/bewaard/media/*/X");
    assert.equal(written.code, 1);
    // Core reads none.
    const read = await guest.exec("runuser -u bewaard -- ls /run/bewaard/media/*");
    assert.match(read.err, /Permission denied/);
  });

  it("takes what is on a card to the vault, reads it a second time, empties it, sets its clock, and says that it is done (DH-07)", async () => {
    for (const event of ["sealed", "adopted", "stored", "wiped"]) await untilTold(guest, event, 2);
    await untilTold(guest, "slot-done", 2);
    assert.equal(await box.segmentsInVault(), 2);
    await untilTold(guest, "clock-set");
    const time = await guest.sh("cat /run/bewaard/media/*/TIME.TXT");
    assert.match(time, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\r\n$/);
    const left = await guest.sh("find /run/bewaard/media -name '*.MP4'; ls /run/bewaard/media/*");
    assert.doesNotMatch(left, /MP4/);
    await box.unplug("BC-0001", "5");
    assert.doesNotMatch(await namesOn(box.cardOf("BC-0001")), /MP4/);
    assert.match(await namesOn(box.cardOf("BC-0001")), /DCIM/);
    await box.unplug("BC-0002", "6");
    await box.untilNoRecord();
    assert.equal((await guest.sh("ls /run/bewaard/media")).trim(), "");
  });
});
