import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { accountOf, untilLines } from "../box.ts";
import { justBooted, openGuest } from "../frozen.ts";
import type { Guest } from "../guest.ts";
import type { Suite } from "../image.ts";
import { answersWith, HANG_CAMERA, installed, removed, writeBrought } from "./walled.ts";

/** Of this machine, whose processor is emulated. */
const FIRST_MINUTE_LIMIT_MS = 180_000;
export const VAULT = "/mnt/bewaard/vault";
/** Whether a minute is being recorded of which something is on the disk by now: before, there is nothing to keep of it. */
export const IN_A_MINUTE =
  "find /srv/bewaard/spool/incoming/record -name '*.partial' -size +128k | grep .";

/** A box with a camera, and what its journal says since it booted. */
export interface Nvr {
  readonly guest: Guest;
  timesTold(event: string): Promise<number>;
  /** Waits until an event was told so many times more than it was. */
  untilToldAgain(event: string, told: number, times?: number): Promise<void>;
  /** Waits until all that was sealed is in the vault. */
  untilAllStored(): Promise<void>;
}

function nvrIn(guest: Guest): Nvr {
  const lines = (event: string): string =>
    `journalctl -b -q -o cat --no-pager BEWAARD_EVENT=${event}`;
  return {
    guest,
    timesTold: async (event) => Number(await guest.sh(`${lines(event)} | wc -l`)),
    untilToldAgain: (event, told, times = 1) => untilLines(guest, lines(event), told + times),
    async untilAllStored() {
      await guest.until(`[ $(${lines("adopted")} | wc -l) = $(${lines("stored")} | wc -l) ]`);
    },
  };
}

// A machine on which nothing of bewaard ever was; each test where the one before it left off.

/**
 * What an administrator meets from the first day of such a box to its last, on Debian 12 or 13; what is `between` is not the same on both,
 * for each takes minutes.
 */
export function describeNvr(suite: Suite, between: (nvr: () => Nvr) => void): void {
  describe(`an NVR (${suite}) on which the package is installed`, () => {
    const stack = new AsyncDisposableStack();
    let guest: Guest;
    let nvr: Nvr;

    before(async () => {
      // One at a time, so that it may have both processors of a small machine.
      guest = stack.use(await openGuest(await justBooted(suite, 2), writeBrought));
      nvr = nvrIn(guest);
      const url = await guest.sh(HANG_CAMERA);
      await guest.put("/root/answers.yaml", answersWith(url));
    });
    afterEach(async function () {
      if (this.currentTest?.state === "failed") console.log(await accountOf(guest));
    });
    after(() => stack.disposeAsync());

    it("has its first sealed minute of a camera within three of apt install, by docs/install.md to the letter", async () => {
      const began = systemClock.now();
      const said = await guest.sh(await installed());
      assert.match(said, /GESCHIKT \/ FIT: 0 /);
      await nvr.untilToldAgain("sealed", 0);
      const tookMs = systemClock.now() - began;
      console.log(`      from apt to the first sealed minute: ${(tookMs / 1000).toFixed(0)} s`);
      assert.ok(tookMs <= FIRST_MINUTE_LIMIT_MS, `${tookMs} ms`);
    });

    between(() => nvr);

    it("keeps its footage when it is removed, and destroys it when root asks twice", async () => {
      const [remove = "", purge = ""] = await removed();
      await guest.sh(remove);
      await guest.sh("ls /srv/bewaard/spool/segments/*/*.age /var/lib/bewaard/node.key");
      await guest.sh(purge);
      const left = await guest.exec("ls -d /srv/bewaard /var/lib/bewaard /etc/bewaard");
      assert.equal(left.out, "");
      // The vault is another machine's.
      await guest.sh(`ls ${VAULT}/footage`);
    });
  });
}
