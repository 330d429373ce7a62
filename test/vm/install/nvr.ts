import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { accountOf, untilLines } from "../box.ts";
import { justBooted, openGuest } from "../frozen.ts";
import type { Guest } from "../guest.ts";
import type { Suite } from "../image.ts";
import { answersWith, HANG_CAMERA, INSTALL, UPGRADE, writeBrought } from "./walled.ts";

/** Of this machine, whose processor is emulated. */
const FIRST_MINUTE_LIMIT_MS = 180_000;
const VAULT = "/mnt/bewaard/vault";
const OPEN = "/srv/bewaard/spool/incoming/record/*.partial";

// A machine on which nothing of bewaard ever was; each test where the one before it left off.

/** What an administrator meets from the first day of such a box to its last, on Debian 12 or 13. */
export function describeNvr(suite: Suite): void {
  describe(`an NVR (${suite}) on which the package is installed`, () => {
    const stack = new AsyncDisposableStack();
    let guest: Guest;

    before(async () => {
      guest = stack.use(await openGuest(await justBooted(suite), writeBrought));
      const url = await guest.sh(HANG_CAMERA);
      await guest.put("/root/answers.yaml", answersWith(url));
    });
    afterEach(async function () {
      if (this.currentTest?.state === "failed") console.log(await accountOf(guest));
    });
    after(() => stack.disposeAsync());

    const lines = (event: string): string =>
      `journalctl -b -q -o cat --no-pager BEWAARD_EVENT=${event}`;
    const timesTold = async (event: string): Promise<number> =>
      Number(await guest.sh(`${lines(event)} | wc -l`));
    /** Waits until an event was told so many times more than it was. */
    async function untilToldAgain(event: string, told: number, times = 1): Promise<void> {
      await untilLines(guest, lines(event), told + times);
    }
    /** Waits until all that was sealed is in the vault. */
    const untilAllStored = (): Promise<string> =>
      guest.until(`[ $(${lines("adopted")} | wc -l) = $(${lines("stored")} | wc -l) ]`);

    it("has its first sealed minute of a camera within three of apt install", async () => {
      const began = systemClock.now();
      const said = await guest.sh(INSTALL);
      assert.match(said, /GESCHIKT \/ FIT: 0 /);
      await untilToldAgain("sealed", 0);
      const tookMs = systemClock.now() - began;
      console.log(`      from apt to the first sealed minute: ${(tookMs / 1000).toFixed(0)} s`);
      assert.ok(tookMs <= FIRST_MINUTE_LIMIT_MS, `${tookMs} ms`);
    });

    it("goes on when its vault is away and its recorder is killed, says what is missing, and stores all once the vault is back (invariant 8)", async () => {
      const [sealed, gaps, cut] = [
        await timesTold("sealed"),
        await timesTold("gap"),
        await timesTold("truncated"),
      ];
      await guest.sh(`mv ${VAULT} ${VAULT}-away`);
      await guest.until(`ls ${OPEN}`);
      await guest.sh("systemctl kill -s KILL bewaard-record");
      await untilToldAgain("truncated", cut);
      await untilToldAgain("gap", gaps);
      await untilToldAgain("sealed", sealed);
      await untilToldAgain("store-paused", 0);
      assert.equal(await guest.sh("systemctl show -p NRestarts --value bewaard"), "0\n");
      await guest.sh(`mv ${VAULT}-away ${VAULT}`);
      await untilAllStored();
    });

    it("says that its disk is full, and records again once it is not, without anybody's help", async () => {
      const [full, sealed] = [await timesTold("spool-full"), await timesTold("sealed")];
      await guest.exec("fallocate -l $(($(df --output=avail -B1M / | tail -n 1) - 20))M /filled");
      await untilToldAgain("spool-full", full);
      await guest.sh("rm /filled");
      await untilToldAgain("sealed", sealed, 2);
      await untilAllStored();
      for (const unit of ["bewaard", "bewaard-record"])
        assert.equal(await guest.sh(`systemctl is-active ${unit}`), "active\n");
    });

    it("is upgraded in the midst of a minute, which is closed and kept", async () => {
      await guest.until(`ls ${OPEN}`);
      const [sealed, cut] = [await timesTold("sealed"), await timesTold("truncated")];
      await guest.sh(UPGRADE);
      assert.match(await guest.sh("dpkg-query -W bewaard"), /\.1$/);
      // The one that was open, and the first of the newer.
      await untilToldAgain("sealed", sealed, 2);
      assert.equal(await timesTold("truncated"), cut);
      await untilAllStored();
      const failed = "systemctl list-units --state=failed --plain --no-legend 'bewaard*'";
      assert.equal(await guest.sh(failed), "");
    });

    it("keeps its footage when it is removed, and destroys it when root asks twice", async () => {
      await guest.sh("apt-get remove -y bewaard > /dev/null");
      await guest.sh("ls /srv/bewaard/spool/segments/*/*.age /var/lib/bewaard/node.key");
      await guest.sh("echo 'destroy all that bewaard keeps on this machine' > /etc/bewaard/purge");
      await guest.sh("apt-get purge -y bewaard > /dev/null");
      const left = await guest.exec("ls -d /srv/bewaard /var/lib/bewaard /etc/bewaard");
      assert.equal(left.out, "");
      // The vault is another machine's.
      await guest.sh(`ls ${VAULT}/footage`);
    });
  });
}
