import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { dockedIn, FIVE_CAMERAS, fiveCameras } from "../fakes/docked-cameras.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { dockAll } from "./docked.ts";
import { openGuest } from "./frozen.ts";
import type { Guest } from "./guest.ts";
import { recordSysfs } from "./record-sysfs.ts";

// What a real kernel makes of cameras that are plugged in. Nothing of bewaard runs in this guest.

describe("cameras that are plugged into a real kernel", () => {
  let guest: Guest;
  const stack = new AsyncDisposableStack();

  before(async () => {
    const folder = stack.use(await temporaryFolder());
    guest = stack.use(await openGuest());
    await dockAll(guest, folder.path);
  });
  after(() => stack.disposeAsync());

  it("are each in their slot with their disk, whatever the socket, and as was recorded for the fast tests (DH-06)", async () => {
    const seen = await dockedIn(await recordSysfs(guest));
    assert.deepEqual(seen, FIVE_CAMERAS);
    // A kernel that shows them otherwise has made the recording out of date.
    assert.deepEqual(await dockedIn(await fiveCameras()), seen);
  });

  it("fail with EIO when pulled out in mid-copy, and look empty afterwards: a card that is gone is no empty one", async () => {
    const partition = (await guest.sh("readlink -f /dev/disk/by-id/*BC-0001*-part1")).trim();
    await guest.sh(`mkdir -p /media/one && mount -o ro ${partition} /media/one`);
    const there = `/sys/dev/block/${(await guest.sh(`lsblk -ndo MAJ:MIN ${partition}`)).trim()}`;
    await guest.sh(`[ -e ${there} ]`);
    const copying = guest.exec("dd if=/media/one/DCIM/LONG.MP4 of=/dev/null bs=64k");
    // Its third number: sectors read.
    await guest.until(`[ $(awk '{print $3}' ${there}/stat) -gt 4000 ]`);
    await guest.unplug("one");
    const copied = await copying;
    assert.equal(copied.code, 1);
    assert.match(copied.err, /Input\/output error/);
    await guest.until(`[ ! -e ${there} ]`);
    const listed = await guest.exec("ls /media/one/DCIM");
    assert.doesNotMatch(listed.out, /LONG/);
  });
});
