import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { DockedBox } from "../docked-box.ts";
import type { Guest } from "../guest.ts";
import { ownBox } from "../own-box.ts";

/** In place of minutes: less than a test wants to wait, and more than an emulated processor keeps Node from its timers. */
const SOONER = "[Service]\nWatchdogSec=30\n";
const DROP_IN = "/etc/systemd/system/bewaard.service.d";

describe("a box that hangs", () => {
  let box: DockedBox;
  let guest: Guest;

  ownBox(async (opened) => {
    box = opened;
    ({ guest } = box);
    await guest.sh(`mkdir ${DROP_IN}`);
    await guest.put(`${DROP_IN}/sooner.conf`, SOONER);
    await guest.sh("systemctl daemon-reload && systemctl restart bewaard");
  });

  const shown = async (property: string): Promise<string> =>
    (await guest.sh(`systemctl show bewaard -p ${property} --value`)).trim();

  it("is left alone while its loops turn, and ended and started anew when they do not", async () => {
    const pid = await shown("MainPID");
    const fed = await shown("WatchdogTimestampMonotonic");
    await guest.until(
      `[ $(systemctl show bewaard -p WatchdogTimestampMonotonic --value) -gt ${fed} ]`,
    );
    assert.equal(await shown("MainPID"), pid);
    await guest.sh(`kill -STOP ${pid}`);
    await guest.until("[ $(systemctl show bewaard -p NRestarts --value) -ge 1 ]");
    assert.match(await guest.sh("journalctl -b -u bewaard --no-pager"), /Watchdog timeout/);
    await guest.until("systemctl is-active bewaard");
    assert.notEqual(await shown("MainPID"), pid);
    // What was in its memory is footage in clear.
    const dumps = await guest.exec("find / -xdev -name 'core*' -size +1M -newer /proc/1");
    assert.equal(dumps.out, "");
  });
});
