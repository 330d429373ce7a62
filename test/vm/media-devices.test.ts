import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { recordClip } from "../../daemon/demo/clips.ts";
import { untilTold } from "./box.ts";
import type { DockedBox } from "./docked-box.ts";
import type { Guest } from "./guest.ts";
import { contentsIn, filesIn, OF_IT, SERIAL } from "./media-device.ts";
import { ownBox } from "./own-box.ts";

describe("a box with media devices", () => {
  let box: DockedBox;
  let guest: Guest;

  ownBox(async (opened) => {
    box = opened;
    ({ guest } = box);
    await box.confirmTime();
  });

  it("does not even open a media device that nobody has paired, and then serves its files to itself alone (DH-01)", async () => {
    await recordClip(contentsIn(box.folder), systemClock.now(), 990);
    await guest.plugMtp("media", contentsIn(box.folder), SERIAL, "7");
    await box.untilRecord(`"serial":"${SERIAL}"`, '"refused":"unpaired"');
    assert.equal((await guest.exec("pgrep -x jmtpfs")).out, "");
    await box.pair("bc-0205", "7", "mtp-generic");
    await box.untilRecord('"number":"bc-0205"', '"kind":"mtp"');
    const options = await guest.sh("findmnt -rn -t fuse.jmtpfs -o VFS-OPTIONS,FS-OPTIONS");
    assert.match(options, /^ro,nosuid,nodev,noexec,\S* ro,\S*default_permissions/);
    const other = await guest.exec("runuser -u nobody -- ls /run/bewaard/media/mtp-*");
    assert.match(other.err, /Permission denied/);
  });

  it("fetches each file of it, and empties it once the vault has them (DH-07)", async () => {
    await untilTold(guest, "wiped", 1, { ...OF_IT, REMOVED: "1" });
    await untilTold(guest, "slot-done", 1, OF_IT);
    assert.equal(await box.segmentsInVault(), 1);
    assert.deepEqual(await filesIn(contentsIn(box.folder)), []);
  });

  it("leaves nothing of it when it is pulled out", async () => {
    await guest.unplugMtp("media");
    await guest.until("! ls /run/bewaard/cards/mtp-* && ! ls -d /run/bewaard/media/mtp-*");
    await guest.until("! pgrep -x jmtpfs");
    assert.equal((await guest.exec("findmnt -t fuse.jmtpfs")).out, "");
  });
});
