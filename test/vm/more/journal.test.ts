import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "mocha";
import { accountOf, linesOf, untilTold } from "../box.ts";
import type { Guest } from "../guest.ts";
import { openInstalled } from "../installed.ts";

// What an administrator reads of a box, in systemd's own journal.

/** What core says, and not the dock. */
const CORES = { ROLES: '["core"]' };
/** Where one that has no such locale looks for it: what there is of it does not matter to journalctl, but its name does. */
const LOCALES = "/run/locales";

describe("the journal of a box", () => {
  const stack = new AsyncDisposableStack();
  let guest: Guest;

  before(async () => {
    guest = stack.use(await openInstalled());
  });
  afterEach(async function () {
    if (this.currentTest?.state === "failed") console.log(await accountOf(guest));
  });
  after(() => stack.disposeAsync());

  it("reads as a sentence, and has all that is in it in fields", async () => {
    const read = await guest.sh(linesOf("started", CORES).replace("-o json", "-o cat"));
    assert.equal(read.trim(), "bewaard is running on dock-1: core");
    const verbose = await guest.sh(linesOf("started", CORES).replace("-o json", "-o verbose"));
    assert.match(verbose, /^ +BEWAARD_NODE=dock-1$/m);
    assert.match(verbose, /^ +BEWAARD_ROLES=\["core"\]$/m);
    assert.match(verbose, /^ +MESSAGE_ID=497c0150d92f489981d2122903cc2817$/m);
    assert.match(verbose, /^ +PRIORITY=5$/m);
  });

  it("explains itself in English, and in Dutch to who has that locale", async () => {
    const explained = (environment: string): Promise<string> =>
      guest.sh(`env ${environment} ${linesOf("started", CORES).replace("-o json", "-x")}`);
    const english = await explained("LC_ALL=C.UTF-8");
    assert.match(english, /Subject: Bewaard is running/);
    assert.match(english, /What to do: nothing/);
    const [, page = ""] = /Documentation: file:\/\/(\S+)/.exec(english) ?? [];
    // The machine of the tests keeps no documents of its packages.
    assert.equal((await guest.sh(`dpkg -L bewaard | grep -xF ${page}`)).trim(), page);
    // One that is not there is no locale.
    assert.equal(await explained("LC_ALL=nl_NL.UTF-8"), english);
    await guest.sh(`mkdir ${LOCALES} && cp -r /usr/lib/locale/C.utf8 ${LOCALES}/nl_NL.utf8`);
    for (const environment of ["LANG=nl_NL.UTF-8", "LC_MESSAGES=nl_NL.UTF-8", "LC_ALL=nl_NL.UTF-8"])
      assert.match(
        await explained(`-u LC_ALL -u LANG LOCPATH=${LOCALES} ${environment}`),
        /Wat te doen: niets/,
      );
  });

  it("is told by systemd how many lines to take of each part, as in the tests of journald itself", async () => {
    for (const unit of ["bewaard", "bewaard-dock"])
      for (const limit of ["interval", "burst"]) {
        const told = `/run/systemd/units/log-rate-limit-${limit}:${unit}.service`;
        assert.equal((await guest.sh(`readlink ${told}`)).trim(), "1000000", told);
      }
  });

  it("says among its errors why it does not start", async () => {
    const configuration = "/etc/bewaard/bewaard.yaml";
    await guest.sh(`cp -p ${configuration} /run/kept && echo 'no_such_key: 1' >> ${configuration}`);
    await guest.exec("systemctl restart bewaard");
    const errors = "journalctl -b -u bewaard -p err -o cat --no-pager";
    const said = await guest.until(`${errors} | grep -A 2 ^CONFIG_INVALID:`);
    assert.match(said, /no_such_key/);
    await guest.sh(`cp -p /run/kept ${configuration} && systemctl restart bewaard`);
    await untilTold(guest, "started", 2, CORES);
  });
});
