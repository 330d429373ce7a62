import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DOCK, untilTold } from "../box.ts";
import { copyInto, makeCard } from "../cards.ts";
import { type DockedBox, XHCI } from "../docked-box.ts";
import type { Guest } from "../guest.ts";
import { copyExfatCard } from "../installed.ts";
import { ownBox } from "../own-box.ts";

// What goes wrong with a box now and then; each test where the one before it left off.

describe("a box with cards under one name, and without power", () => {
  let box: DockedBox;
  let guest: Guest;

  ownBox(async (opened) => {
    box = opened;
    ({ guest } = box);
    await box.confirmTime();
    await makeCard(box.cardOf("BC-0001"), "fat32", 64, "CAM1", await box.recorded(440));
    await copyExfatCard(box.cardOf("BC-0002"));
    await box.plug("BC-0001", "6");
    await box.plug("BC-0002", "5");
    await box.untilRecord('"serial":"BC-0001"', '"refused":"unpaired"');
    await box.untilRecord('"serial":"BC-0002"', '"refused":"unpaired"');
    await box.pair("bc-0201", "6", "generic-dcim");
    await box.pair("bc-0202", "5", "generic-dcim");
    await untilTold(guest, "slot-done", 2);
  });

  it("reads neither of two that look the same (DH-01)", async () => {
    await box.plug("BC-0001", "7");
    await guest.until("[ $(grep -lF same-identity /run/bewaard/cards/*.json | wc -l) = 2 ]");
    assert.equal((await guest.exec("findmnt -t vfat")).out, "");
    await box.unplug("BC-0001", "7");
    await box.unplug("BC-0001", "6");
    await guest.until("[ $(ls /run/bewaard/cards/*.json | wc -l) = 1 ]");
  });

  it("looks at a card that comes under the name of one that is still being put away (DH-01)", async () => {
    // The helper that puts it away waits for this.
    const lock = "flock /run/bewaard/cards.lock";
    await guest.sh(`systemd-run -q --unit=hold ${lock} sleep infinity`);
    await guest.until("! flock -n /run/bewaard/cards.lock true");
    await box.unplug("BC-0002", "5");
    await guest.until("systemctl list-jobs | grep 'bewaard-media@.*stop'");
    await guest.until('[ -z "$(findmnt -t vfat,exfat)" ]');
    const [name] = (await guest.sh("ls /run/bewaard/cards")).split(".json");
    await box.plug("BC-0002", "6");
    await guest.until(`[ -e /sys/class/block/${name} ] && udevadm settle`);
    await guest.sh("systemctl stop hold");
    await box.untilRecord('"number":"bc-0202"', `"slot":"${XHCI}/6"`, `"name":"${name}"`);
    await box.unplug("BC-0002", "6");
    await box.untilNoRecord();
  });

  it("goes on after the power went, with a card in its slot and a file in its folder", async () => {
    await copyInto(box.cardOf("BC-0001"), await box.recorded(880));
    const file = `${DOCK}/DCIM/$(TZ=Europe/Amsterdam date +%Y%m%d_%H%M%S).MP4`;
    await guest.sh(`head -c 300000 /dev/urandom > /tmp/file && mv /tmp/file "${file}" && sync`);
    await box.plug("BC-0001", "3");
    await guest.powerCut();
    const boot = (await guest.sh("cat /proc/sys/kernel/random/boot_id")).trim();
    await box.untilRecord('"number":"bc-0201"', boot);
    await box.untilInVault(4);
    assert.equal((await guest.sh("systemctl show -p NRestarts --value bewaard")).trim(), "0");
  });
});
