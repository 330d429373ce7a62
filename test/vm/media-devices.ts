import assert from "node:assert/strict";
import { open, readdir, stat, truncate, utimes } from "node:fs/promises";
import { join } from "node:path";
import { it } from "mocha";
import { systemClock } from "#base/system-clock";
import { isoOf } from "#base/time";
import { recordClip } from "../../daemon/demo/clips.ts";
import { asBewaard, untilTold } from "./box.ts";
import type { Guest } from "./guest.ts";

/** A box that runs in a guest, and a folder for what is plugged into it. */
interface Box {
  readonly guest: Guest;
  readonly folder: string;
  readonly untilRecord: (...wanted: readonly string[]) => Promise<string>;
}

const SLOTS = "0000:00:01.0";
const SERIAL = "BC-0005";
const OF_IT = '"device":"bc-0205"';
/** As another process of the same user would: for as long as it has the file open jmtpfs keeps what it fetched. */
const HOLD = `require("fs").openSync(process.argv[1], "r"); setTimeout(() => {}, 1e9)`;
const TOO_LARGE_BYTES = 3 * 1024 ** 3;

/** What a box does with a camera that speaks MTP; each test where the one before it left off. */
export function mediaDevices(box: () => Box): void {
  let path: string;

  it("does not even open a media device that nobody has paired, and then serves its files to itself alone (DH-01)", async () => {
    const { guest, folder, untilRecord } = box();
    await guest.until("[ -S /var/lib/bewaard/control.sock ]");
    const now = isoOf(systemClock.now()).slice(0, 19);
    await guest.sh(asBewaard(`bewaarctl clock confirm ${now}Z`));
    path = await recordClip(contentsIn(folder), systemClock.now(), 990);
    await guest.plugMtp("media", contentsIn(folder), SERIAL, "7");
    await untilRecord(`"serial":"${SERIAL}"`, '"refused":"unpaired"');
    assert.equal((await guest.exec("pgrep -x jmtpfs")).out, "");
    // So that the next test begins where an order lies there.
    await guest.sh("systemctl stop bewaard-orders.path");
    const how = `--slot ${SLOTS}/7 --profile mtp-generic --by beheerder`;
    await guest.sh(asBewaard(`bewaarctl bodycams pair bc-0205 ${how}`));
    await untilRecord('"number":"bc-0205"', '"kind":"mtp"');
    const options = await guest.sh("findmnt -rn -t fuse.jmtpfs -o VFS-OPTIONS,FS-OPTIONS");
    assert.match(options, /^ro,nosuid,nodev,noexec,\S* ro,\S*default_permissions/);
    const other = await guest.exec("runuser -u nobody -- ls /run/bewaard/media/mtp-*");
    assert.match(other.err, /Permission denied/);
  });

  it("fetches each file of it again before that is removed, whoever has the first one open still (DH-07)", async () => {
    const { guest } = box();
    await untilTold(guest, "wipe-ordered", 1, OF_IT);
    const file = (await guest.sh("find /run/bewaard/media/mtp-* -name '*.MP4'")).trim();
    const node = "/opt/bewaard/node_modules/.bin/node";
    await guest.sh(`systemd-run -q --unit=hold -p User=bewaard ${node} -e '${HOLD}' ${file}`);
    await guest.until("ls -l /proc/$(pgrep -x jmtpfs)/fd | grep '/tmp/#.*deleted'");
    await changeWithin(path);
    await guest.sh("systemctl start bewaard-orders.path");
    await untilTold(guest, "wipe-changed", 1, OF_IT);
    // A file that is gone and open still keeps the kernel from making its file system read-only.
    await guest.sh("systemctl stop hold");
    await untilTold(guest, "wiped", 1, `${OF_IT}.*"removed":1`);
    await untilTold(guest, "slot-done", 1, OF_IT);
    assert.deepEqual(await filesIn(contentsIn(box().folder)), []);
  });

  it("leaves nothing of it when it is pulled out", async () => {
    const { guest } = box();
    await guest.unplugMtp("media");
    await guest.until("! ls /run/bewaard/cards/mtp-* && ! ls -d /run/bewaard/media/mtp-*");
    await guest.until("! pgrep -x jmtpfs");
    assert.equal((await guest.exec("findmnt -t fuse.jmtpfs")).out, "");
  });

  it("says of a file that is too large to be fetched that it is, without opening it, and takes the others", async () => {
    const { guest, folder } = box();
    path = await recordClip(contentsIn(folder), systemClock.now(), 1100);
    const large = join(contentsIn(folder), "DCIM", "LARGE.MP4");
    await open(large, "w").then((file) => file.close());
    await truncate(large, TOO_LARGE_BYTES);
    await guest.plugMtp("media", contentsIn(folder), SERIAL, "8");
    await untilTold(guest, "sealed", 3, OF_IT);
    await untilTold(guest, "slot-failed", 1, `${OF_IT}.*"why":"too-large"`);
    await guest.unplugMtp("media");
    assert.equal((await filesIn(contentsIn(folder))).length, 2);
  });
}

const contentsIn = (folder: string): string => join(folder, "media-device");

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

async function filesIn(folder: string): Promise<readonly string[]> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true });
  return all.filter((one) => one.isFile()).map((one) => one.name);
}
