import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { CONFIGURED, untilTold } from "../box.ts";
import type { DockedBox } from "../docked-box.ts";
import type { Guest } from "../guest.ts";
import { ownBox } from "../own-box.ts";

/** As Prometheus does, with what every Debian has. */
const ASKS_METRICS = `perl -MIO::Socket::INET -e '
  $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:9464") or die $!;
  print $s "GET /metrics HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n"; print while <$s>;'`;

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
    assert.match(status, /^ +Status: "backlog \d+; ring \d+ %; time not trusted"$/m);
  });

  it("goes by another configuration when it is reloaded, in the same process", async () => {
    const pid = await shown("MainPID");
    await box.confirmTime();
    await guest.sh(`sed -i 's/limit: 1 GB/limit: 900 MB/' ${CONFIGURED}`);
    await guest.sh(`printf 'metrics:\\n  listen: socket\\n' >> ${CONFIGURED}`);
    await guest.sh("systemctl reload bewaard");
    // The first of them was when it was installed.
    await untilTold(guest, "config-changed", 2);
    await guest.until(
      "systemctl show bewaard -p StatusText --value | grep -x 'backlog 0; ring . %'",
    );
    assert.equal(await shown("MainPID"), pid);
  });

  it("has its metrics passed on by a proxy that the first who asks has started, and that goes on", async () => {
    await guest.sh("ip link set lo up; systemctl start bewaard-metrics.socket");
    // Core makes its socket when it began again, and not before it says so.
    await guest.until(`${ASKS_METRICS} | grep -x 'bewaard_clock_trusted 1'`);
    // Not still at its start, as one that systemd waits for would be, and then end.
    await guest.until("systemctl is-active -q bewaard-metrics.service");
    const security = "systemd-analyze security --no-pager bewaard-metrics | tail -n 1";
    assert.match(await guest.sh(security), / 0\.\d /);
    assert.match(await guest.sh(ASKS_METRICS), /^bewaard_clock_trusted 1$/m);
  });

  it("goes on by the one it has when the other is not valid, and says so", async () => {
    await guest.sh(`sed -i 's/limit: 900 MB/limit: none/' ${CONFIGURED}`);
    await guest.sh("systemctl reload bewaard");
    await untilTold(guest, "reload-refused");
    await guest.until("systemctl show bewaard -p SubState --value | grep -x running");
    assert.match(await shown("StatusText"), /^backlog 0; ring \d %$/);
    assert.equal(await shown("NRestarts"), "0");
  });
});
