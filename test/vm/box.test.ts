import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { isoOf } from "#base/time";
import { recordClip } from "../../daemon/demo/clips.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { accountOf, asBewaard, DOCK, installBox, OWN_PROFILE, untilTold } from "./box.ts";
import { copyInto, makeCard, namesOn } from "./cards.ts";
import { copyIntoExfat } from "./exfat.ts";
import { type Guest, openGuest } from "./guest.ts";
import { mediaDevices } from "./media-devices.ts";

// One box from its installation on, each test where the one before it left off: installing takes half a minute.

const XHCI = "0000:00:01.0";
const IN_VAULT = "find /mnt/bewaard/vault -path '*footage*' -type f -size +1k | wc -l";
type Camera = "BC-0001" | "BC-0002";

describe("a box with systemd, udev and USB, installed as docs/operations.md says", () => {
  const stack = new AsyncDisposableStack();
  let guest: Guest;
  let folder: string;

  before(async () => {
    ({ path: folder } = stack.use(await temporaryFolder()));
    await makeCard(cardOf("BC-0001"), "fat32", 64, "CAM1", await recorded(440));
    await makeCard(cardOf("BC-0002"), "exfat", 64, "CAM2");
    guest = stack.use(await openGuest());
    await copyIntoExfat(guest, cardOf("BC-0002"), await recorded(550));
    await installBox(guest);
  });
  afterEach(async function () {
    if (this.currentTest?.state === "failed") console.log(await accountOf(guest));
  });
  after(() => stack.disposeAsync());

  const cardOf = (serial: Camera): string => join(folder, serial);

  /** A folder with a new recording, as it is on a card. */
  async function recorded(hertz: number): Promise<string> {
    const contents = join(folder, `recorded-${hertz}`);
    await recordClip(contents, systemClock.now(), hertz);
    return contents;
  }

  const plug = (serial: Camera, port: string, more = {}): Promise<void> =>
    guest.plug(`${serial}-${port}`, cardOf(serial), { serial, port, ...more });

  /** Waits for a record of the helper's in which all of `wanted` stands; resolves to it. */
  const untilRecord = (...wanted: readonly string[]): Promise<string> => {
    const having = wanted.map((one) => `xargs -r grep -lsF '${one}'`).join(" | ");
    return guest.until(`ls /run/bewaard/cards/*.json | ${having} | xargs -r cat | grep .`);
  };
  const untilNoRecord = (): Promise<string> => guest.until("! ls /run/bewaard/cards/*.json");

  async function segmentsInVault(): Promise<number> {
    return Number(await guest.sh(IN_VAULT));
  }

  it("answers, is told the time, and systemd finds its unit safe", async () => {
    const status = await guest.sh(asBewaard("bewaarctl --json status"));
    assert.match(status, /^\{"site":"den-haag-handhaving","node":"dock-1",/);
    await confirmTime();
    assert.match(await guest.sh("systemd-analyze security bewaard | tail -n 1"), / [01]\.\d /);
  });

  async function confirmTime(): Promise<void> {
    const now = isoOf(systemClock.now()).slice(0, 19);
    await guest.sh(asBewaard(`bewaarctl clock confirm ${now}Z`));
  }

  it("takes no card that nobody has paired, and looks at each once (DH-01)", async () => {
    await plug("BC-0001", "5");
    await plug("BC-0002", "6");
    await untilRecord('"serial":"BC-0001"', '"refused":"unpaired"');
    await untilRecord('"serial":"BC-0002"', '"refused":"unpaired"');
    assert.equal((await guest.exec("findmnt -t vfat,exfat")).out, "");
    const units = await guest.sh(
      "systemctl list-units --all --plain --no-legend 'bewaard-media@*'",
    );
    assert.deepEqual(
      units.match(/@\w+/g)?.map((one) => one.replace(/[a-z]1$/, "?1")),
      ["@sd?1", "@sd?1"],
    );
  });

  it("mounts cards once they are paired, for itself alone and read-only", async () => {
    for (const [number, port, profile] of [
      ["bc-0201", "5", "generic-dcim"],
      ["bc-0202", "6", OWN_PROFILE],
    ]) {
      const how = `--slot ${XHCI}/${port} --profile ${profile} --by beheerder`;
      await guest.sh(asBewaard(`bewaarctl bodycams pair ${number} ${how}`));
    }
    await untilRecord('"number":"bc-0201"', `"slot":"${XHCI}/5"`);
    await untilRecord('"number":"bc-0202"', '"kind":"exfat"');
    const options = (await guest.sh("findmnt -rn -t vfat,exfat -o VFS-OPTIONS")).trim().split("\n");
    assert.equal(options.length, 2);
    for (const one of options) assert.match(one, /^ro,nosuid,nodev,noexec,.*nosymfollow/);
    const written = await guest.exec("runuser -u bewaard -- touch /run/bewaard/media/*/X");
    assert.equal(written.code, 1);
  });

  it("takes what is on a card to the vault, reads it a second time, empties it, sets its clock, and says that it is done (DH-07)", async () => {
    for (const event of ["sealed", "adopted", "stored", "wiped"]) await untilTold(guest, event, 2);
    await untilTold(guest, "slot-done", 2);
    assert.equal(await segmentsInVault(), 2);
    await untilTold(guest, "clock-set");
    const time = await guest.sh("cat /run/bewaard/media/*/TIME.TXT");
    assert.match(time, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\r\n$/);
    const left = await guest.sh("find /run/bewaard/media -name '*.MP4'; ls /run/bewaard/media/*");
    assert.doesNotMatch(left, /MP4/);
    await guest.unplug("BC-0001-5");
    assert.doesNotMatch(await namesOn(cardOf("BC-0001")), /MP4/);
    assert.match(await namesOn(cardOf("BC-0001")), /DCIM/);
    await guest.unplug("BC-0002-6");
    await untilNoRecord();
    assert.equal((await guest.sh("ls /run/bewaard/media")).trim(), "");
  });

  it("loses nothing of a camera that is pulled out in mid-copy, and takes it when it is back in any slot", async () => {
    await copyInto(cardOf("BC-0001"), await recorded(660));
    await plug("BC-0001", "3", { bytesPerSecond: 50_000 });
    await guest.until("find /srv/bewaard/spool/incoming -name '*.partial' | grep .");
    await guest.unplug("BC-0001-3");
    await untilTold(guest, "undocked-early");
    assert.equal(await segmentsInVault(), 2);
    // So that what comes next begins where an order lies there.
    await guest.sh("systemctl stop bewaard-orders.path");
    await plug("BC-0001", "6");
    await untilTold(guest, "stored", 3);
    assert.equal(await segmentsInVault(), 3);
  });

  it("goes on with a wipe when it was killed in the midst of it", async () => {
    await untilTold(guest, "wipe-ordered", 3);
    await guest.sh("systemctl kill -s KILL bewaard && systemctl start bewaard-orders.path");
    await untilTold(guest, "wiped", 3);
    await untilTold(guest, "slot-done", 3);
    assert.equal((await guest.sh("systemctl show -p NRestarts --value bewaard")).trim(), "1");
    assert.equal(await segmentsInVault(), 3);
    assert.equal(await timesTold("wipe-failed"), 0);
  });

  /** How often the service has told of `event` since the guest booted. */
  async function timesTold(event: string): Promise<number> {
    return (await guest.journal("bewaard")).split(`"event":"${event}"`).length - 1;
  }

  it("reads neither of two that look the same (DH-01)", async () => {
    await plug("BC-0001", "7");
    await guest.until("[ $(grep -lF same-identity /run/bewaard/cards/*.json | wc -l) = 2 ]");
    assert.equal((await guest.exec("findmnt -t vfat,exfat")).out, "");
    await guest.unplug("BC-0001-7");
    await guest.unplug("BC-0001-6");
    await untilNoRecord();
  });

  it("looks at a card that comes under the name of one that is still being put away (DH-01)", async () => {
    await plug("BC-0002", "5");
    await untilRecord('"number":"bc-0202"', `"slot":"${XHCI}/5"`);
    // The helper that puts it away waits for this.
    const lock = "flock /run/bewaard/cards.lock";
    await guest.sh(`systemd-run -q --unit=hold ${lock} sleep infinity`);
    await guest.until("! flock -n /run/bewaard/cards.lock true");
    await guest.unplug("BC-0002-5");
    await guest.until("systemctl list-jobs | grep 'bewaard-media@.*stop'");
    await guest.until('[ -z "$(findmnt -t vfat,exfat)" ]');
    const [name] = (await guest.sh("ls /run/bewaard/cards")).split(".json");
    await plug("BC-0002", "6");
    await guest.until(`[ -e /sys/class/block/${name} ] && udevadm settle`);
    await guest.sh("systemctl stop hold");
    await untilRecord('"number":"bc-0202"', `"slot":"${XHCI}/6"`, `"name":"${name}"`);
    await guest.unplug("BC-0002-6");
    await untilNoRecord();
  });

  it("takes what is on a write-protected card, says that the camera may go, and orders nothing of it", async () => {
    await copyInto(cardOf("BC-0001"), await recorded(770));
    await plug("BC-0001", "4", { readOnly: true });
    await untilTold(guest, "stored", 4);
    await untilTold(guest, "slot-safe", 1, '"why":"write-protected"');
    assert.equal(await timesTold("wipe-ordered"), 3);
  });

  it("knows it again when the machine was started anew with the card in its slot", async () => {
    await guest.reboot();
    const told = await guest.sh("journalctl -b -1 -u bewaard -o cat --no-pager");
    assert.match(told, /"event":"stopped"/);
    await untilTold(guest, "slot-safe");
    assert.equal(await timesTold("sealed"), 0);
    await guest.unplug("BC-0001-4");
    assert.match(await namesOn(cardOf("BC-0001")), /MP4/);
    await untilNoRecord();
  });

  it("goes on after the power went, with a card in its slot and a file in its folder", async () => {
    await copyInto(cardOf("BC-0001"), await recorded(880));
    const file = `${DOCK}/DCIM/$(TZ=Europe/Amsterdam date +%Y%m%d_%H%M%S).MP4`;
    await guest.sh(`head -c 300000 /dev/urandom > /tmp/file && mv /tmp/file "${file}" && sync`);
    await plug("BC-0001", "3");
    await guest.powerCut();
    const boot = (await guest.sh("cat /proc/sys/kernel/random/boot_id")).trim();
    await untilRecord('"number":"bc-0201"', boot);
    await guest.until(`[ $(${IN_VAULT}) = 6 ]`);
    assert.equal((await guest.sh("systemctl show -p NRestarts --value bewaard")).trim(), "0");
  });

  mediaDevices(() => ({ guest, folder, untilRecord }));
});
