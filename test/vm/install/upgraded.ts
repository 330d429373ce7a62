import assert from "node:assert/strict";
import { it } from "mocha";
import { systemClock } from "#base/system-clock";
import { isoOf } from "#base/time";
import { IN_A_MINUTE, type Nvr } from "./nvr.ts";
import { upgraded } from "./walled.ts";

/** A box that records gets the package of the next commit. */
export function isUpgraded(given: () => Nvr): void {
  it("is upgraded in the midst of a minute, which is closed and kept", async () => {
    const nvr = given();
    await nvr.guest.until(IN_A_MINUTE);
    const [sealed, cut] = [await nvr.timesTold("sealed"), await nvr.timesTold("truncated")];
    // Once after each start of the machine, by another clock than its own; else check says so.
    await nvr.guest.sh(`bewaarctl clock confirm ${isoOf(systemClock.now()).slice(0, 19)}Z`);
    const { out } = await nvr.guest.exec(await upgraded());
    assert.match(out, /^✔ service: draait/m);
    assert.match(await nvr.guest.sh("dpkg-query -W bewaard"), /\.1\n$/);
    // The one that was open, and the first of the newer.
    await nvr.untilToldAgain("sealed", sealed, 2);
    assert.equal(await nvr.timesTold("truncated"), cut);
    await nvr.untilAllStored();
    const failed = "systemctl list-units --state=failed --plain --no-legend 'bewaard*'";
    assert.equal(await nvr.guest.sh(failed), "");
  });
}
