import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { recordClip } from "../../daemon/demo/clips.ts";
import { accountOf, untilTold } from "./box.ts";
import { type DockedBox, openBox } from "./docked-box.ts";
import type { Guest } from "./guest.ts";

const SERIAL = "BC-0005";
const OF_IT = { DEVICE: "bc-0205" };

// A box of its own, for time's sake; each test where the one before it left off.

describe("a box with media devices", () => {
  const stack = new AsyncDisposableStack();
  let box: DockedBox;
  let guest: Guest;

  before(async () => {
    box = stack.use(await openBox());
    ({ guest } = box);
    await box.confirmTime();
  });
  afterEach(async function () {
    if (this.currentTest?.state === "failed") console.log(await accountOf(guest));
  });
  after(() => stack.disposeAsync());

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

const contentsIn = (folder: string): string => join(folder, "media-device");

async function filesIn(folder: string): Promise<readonly string[]> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true });
  return all.filter((one) => one.isFile()).map((one) => one.name);
}
