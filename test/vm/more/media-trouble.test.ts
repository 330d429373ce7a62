import assert from "node:assert/strict";
import { open, stat, truncate, utimes } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { recordClip } from "../../../daemon/demo/clips.ts";
import { untilTold } from "../box.ts";
import type { DockedBox } from "../docked-box.ts";
import type { Guest } from "../guest.ts";
import { contentsIn, filesIn, OF_IT, SERIAL } from "../media-device.ts";
import { ownBox } from "../own-box.ts";

/** As another process of the same user would: for as long as it has the file open jmtpfs keeps what it fetched. */
const HOLD = `require("fs").openSync(process.argv[1], "r"); setTimeout(() => {}, 1e9)`;
const TOO_LARGE_BYTES = 3 * 1024 ** 3;

describe("a media device that makes trouble", () => {
  let box: DockedBox;
  let guest: Guest;

  ownBox(async (opened) => {
    box = opened;
    ({ guest } = box);
    await box.confirmTime();
  });

  let path: string;

  it("is paired as any other camera", async () => {
    path = await recordClip(contentsIn(box.folder), systemClock.now(), 990);
    await guest.plugMtp("media", contentsIn(box.folder), SERIAL, "7");
    await box.untilRecord(`"serial":"${SERIAL}"`, '"refused":"unpaired"');
    // So that the next test begins where an order lies there.
    await guest.sh("systemctl stop bewaard-orders.path");
    await box.pair("bc-0205", "7", "mtp-generic");
    await box.untilRecord('"number":"bc-0205"', '"kind":"mtp"');
  });

  it("fetches each file of it again before that is removed, whoever has the first one open still (DH-07)", async () => {
    await untilTold(guest, "wipe-ordered", 1, OF_IT);
    const file = (await guest.sh("find /run/bewaard/media/mtp-* -name '*.MP4'")).trim();
    const node = "/usr/lib/bewaard/node_modules/.bin/node";
    await guest.sh(`systemd-run -q --unit=hold -p User=bewaard-dock ${node} -e '${HOLD}' ${file}`);
    await guest.until("ls -l /proc/$(pgrep -x jmtpfs)/fd | grep '/tmp/#.*deleted'");
    await changeWithin(path);
    await guest.sh("systemctl start bewaard-orders.path");
    await untilTold(guest, "wipe-changed", 1, OF_IT);
    // A file that is gone and open still keeps the kernel from making its file system read-only.
    await guest.sh("systemctl stop hold");
    await untilTold(guest, "wiped", 1, { ...OF_IT, REMOVED: "1" });
    await untilTold(guest, "slot-done", 1, OF_IT);
    assert.deepEqual(await filesIn(contentsIn(box.folder)), []);
  });

  it("says of a file that is too large to be fetched that it is, without opening it, and takes the others", async () => {
    await guest.unplugMtp("media");
    await guest.until("! ls /run/bewaard/cards/mtp-*");
    path = await recordClip(contentsIn(box.folder), systemClock.now(), 1100);
    const large = join(contentsIn(box.folder), "DCIM", "LARGE.MP4");
    await open(large, "w").then((file) => file.close());
    await truncate(large, TOO_LARGE_BYTES);
    await guest.plugMtp("media", contentsIn(box.folder), SERIAL, "8");
    await untilTold(guest, "sealed", 3, OF_IT);
    await untilTold(guest, "slot-failed", 1, { ...OF_IT, WHY: "too-large" });
    await guest.unplugMtp("media");
    assert.equal((await filesIn(contentsIn(box.folder))).length, 2);
  });
});

/** Another byte in the middle of a file, and the same length and time. */
async function changeWithin(file: string): Promise<void> {
  const { size, atime, mtime } = await stat(file);
  const handle = await open(file, "r+");
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, Math.floor(size / 2));
  await handle.write(Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, Math.floor(size / 2));
  await handle.close();
  await utimes(file, atime, mtime);
}
