import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { CONFIGURED, untilTold } from "../box.ts";
import type { DockedBox } from "../docked-box.ts";
import type { Guest } from "../guest.ts";
import { ownBox } from "../own-box.ts";

describe("a box whose manager is systemd", () => {
  let box: DockedBox;
  let guest: Guest;

  ownBox(async (opened) => {
    box = opened;
    ({ guest } = box);
  });

  const shown = async (property: string): Promise<string> =>
    (await guest.sh(`systemctl show bewaard -p ${property} --value`)).trim();

  it("says how it does in the one line that systemctl status shows", async () => {
    const status = await guest.sh("systemctl status --no-pager -n 0 bewaard");
    assert.match(status, /^ +Active: active \(running\)/m);
    assert.match(status, /^ +Status: "docks empty; backlog \d+; ring \d+ %; time not trusted"$/m);
  });

  it("goes by another configuration when it is reloaded, in the same process", async () => {
    const pid = await shown("MainPID");
    await box.confirmTime();
    await guest.sh(`sed -i 's/limit: 1 GB/limit: 900 MB/' ${CONFIGURED}`);
    await guest.sh("systemctl reload bewaard");
    // The first of them was when it was installed.
    await untilTold(guest, "config-changed", 2);
    await guest.until(
      "systemctl show bewaard -p StatusText --value | grep -x 'docks empty; backlog 0; ring . %'",
    );
    assert.equal(await shown("MainPID"), pid);
  });

  it("goes on by the one it has when the other is not valid, and says so", async () => {
    await guest.sh(`sed -i 's/limit: 900 MB/limit: none/' ${CONFIGURED}`);
    await guest.sh("systemctl reload bewaard");
    await untilTold(guest, "reload-refused");
    await guest.until("systemctl show bewaard -p SubState --value | grep -x running");
    assert.match(await shown("StatusText"), /^docks empty; backlog 0; ring \d %$/);
    assert.equal(await shown("NRestarts"), "0");
  });
});
