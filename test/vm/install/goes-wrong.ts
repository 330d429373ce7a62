import assert from "node:assert/strict";
import { it } from "mocha";
import { IN_A_MINUTE, type Nvr, VAULT } from "./nvr.ts";

/** Vault, disk and processes of a box that records. */
export function goesWrong(given: () => Nvr): void {
  it("goes on when its vault is away and its recorder and core are killed, says what is missing, and stores all once the vault is back (invariant 8)", async () => {
    const nvr = given();
    const told = (event: string): Promise<number> => nvr.timesTold(event);
    const [sealed, gaps, cut] = [await told("sealed"), await told("gap"), await told("truncated")];
    await nvr.guest.sh(`mv ${VAULT} ${VAULT}-away`);
    await nvr.guest.until(IN_A_MINUTE);
    await nvr.guest.sh("systemctl kill -s KILL bewaard-record");
    await nvr.untilToldAgain("truncated", cut);
    await nvr.untilToldAgain("gap", gaps);
    await nvr.untilToldAgain("sealed", sealed);
    await nvr.untilToldAgain("store-paused", 0);
    assert.equal(await nvr.guest.sh("systemctl show -p NRestarts --value bewaard"), "0\n");
    await nvr.guest.sh("systemctl kill -s KILL bewaard");
    await nvr.guest.sh(`mv ${VAULT}-away ${VAULT}`);
    await nvr.untilAllStored();
    assert.equal(await nvr.guest.sh("systemctl show -p NRestarts --value bewaard"), "1\n");
  });

  it("says that its disk is full, and records again once it is not, without anybody's help", async () => {
    const nvr = given();
    const [full, sealed] = [await nvr.timesTold("spool-full"), await nvr.timesTold("sealed")];
    await nvr.guest.exec("fallocate -l $(($(df --output=avail -B1M / | tail -n 1) - 20))M /filled");
    await nvr.untilToldAgain("spool-full", full);
    await nvr.guest.sh("rm /filled");
    await nvr.untilToldAgain("sealed", sealed, 2);
    await nvr.untilAllStored();
    for (const unit of ["bewaard", "bewaard-record"])
      assert.equal(await nvr.guest.sh(`systemctl is-active ${unit}`), "active\n");
  });
}
