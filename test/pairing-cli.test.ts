import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { isoOf, SECOND_MS } from "#base/time";
import { readSecret } from "../config/secrets.ts";
import type { SlotNews } from "../daemon/control/dock-questions.ts";
import { EVERY_METHOD, METHODS } from "../daemon/control/protocol.ts";
import { control } from "../daemon/control/server.ts";
import { runCore } from "../daemon/main.ts";
import { unattended } from "../daemon/notify/attendant.ts";
import { catalogPath, originOf } from "../daemon/places.ts";
import { openDatabase } from "../storage/catalog/sqlite.ts";
import { parseNodeKey } from "../storage/ledger/note.ts";
import { NO_ANSWERS } from "./fakes/answers.ts";
import { COMPILE_CACHE } from "./fakes/compile-cache.ts";
import { GOOD_BOX, writtenIn } from "./fakes/configuration.ts";
import { OTHER_SLOT, pairingOf, SEEN, SLOT } from "./fakes/pairing.ts";
import { CAMERA, capturedEvents, handClock, NEVER, openRig, START } from "./fakes/rig.ts";
import { openSite, whileRunning } from "./fakes/site.ts";

const CLI = new URL("../daemon/cli/bewaarctl.ts", import.meta.url).pathname;

async function bewaarctl(yaml: string, ...args: readonly string[]) {
  const env = { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE };
  try {
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, [CLI, "-c", yaml, ...args], { env });
    return { code: 0, out: stdout, err: "" };
  } catch (error) {
    if (!(error instanceof Error && "stdout" in error && "stderr" in error && "code" in error))
      throw error;
    return { code: Number(error.code), out: String(error.stdout), err: String(error.stderr) };
  }
}

/** Core as far as it pairs, with one camera in a slot. */
async function openCore() {
  const rig = await openRig();
  const state = join(rig.folder, "state");
  await mkdir(state);
  const yaml = await writtenIn(rig.folder, { ...GOOD_BOX, state });
  const pairing = pairingOf(rig, [SEEN]);
  const stop = new AbortController();
  const path = join(state, "control.sock");
  const answered = { ...NO_ANSWERS, ...pairing.answers };
  const serving = control(path, EVERY_METHOD, answered, 60 * SECOND_MS, stop.signal);
  while (!existsSync(path)) await systemClock.sleep(10, NEVER);
  return {
    yaml,
    pairing,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await serving;
      await rig[Symbol.asyncDispose]();
    },
  };
}

describe("bewaarctl bodycams and docks", function () {
  this.timeout(120_000);

  it("show what is in a slot, pair it, show that, and retire it, as people type it", async () => {
    await using core = await openCore();
    const type = (...args: readonly string[]) => bewaarctl(core.yaml, ...args);
    const said = "0b6a:1234  serie / serial TS00A1B2  kaart / card 1A2B-3C4D";
    assert.equal((await type("bodycams", "list")).out, "geen bodycams / no bodycams\n");
    const before = await type("docks", "list");
    assert.equal(
      before.out,
      `${SLOT}  ${said}\n    niet gekoppeld, wordt niet gelezen / not paired, not read\n`,
    );
    const pair = ["bodycams", "pair", "bc-0101", "--profile", "generic-dcim", "--slot"];
    const paired = await type(...pair, SLOT, "--by", "beheerder");
    assert.match(paired.out, new RegExp(`^bc-0101  ${said}\\n    slot ${SLOT}: gekoppeld`));
    assert.match(paired.out, /binnen een minuut gelezen, in dit slot en voortaan in elk/);
    assert.doesNotMatch(paired.out, /haal haar/);
    const place = ["--by", "beheerder", "--place", " Centrum, Leyweg "];
    const again = await type("--json", ...pair, SLOT, ...place);
    assert.match(again.out, /"changed":"nothing"/);
    assert.match((await type("docks", "list")).out, /^ {4}bc-0101: wordt zo gelezen; /m);
    core.pairing.present.splice(0, 1, { ...SEEN, refused: "mount-failed" });
    assert.match(
      (await type("docks", "list")).out,
      /^ {4}bc-0101: niet gelezen \/ not read: de kaart gaat niet open \/ the card does not open$/m,
    );
    core.pairing.present.splice(0, 1, { ...SEEN, refused: null });
    assert.match((await type("docks", "list")).out, /^ {4}bc-0101$/m);
    const news = { ...BUSY, state: "failed" as const, why: "same-identity" };
    core.pairing.board.news([news, { ...news, slot: OTHER_SLOT, why: "no-room" }]);
    assert.match(
      (await type("docks", "list")).out,
      /^ {4}bc-0101: niet gelukt, roep beheer: twee camera's .* \/ failed, .* told apart$/m,
    );
    core.pairing.board.news([BUSY]);
    assert.match((await type("docks", "list")).out, /^ {4}bc-0101$/m);
    const other = ["bodycams", "pair", "bc-0101", "--profile", "mtp-generic", "--slot", SLOT];
    const changed = await type(...other, "--by", "beheerder");
    assert.match(changed.out, /ander profiel .*\n {4}het telt als zij weer in een slot komt/);
    const listed = await type("bodycams", "list");
    assert.match(listed.out, new RegExp(`^bc-0101  ${said}\\n    in slot ${SLOT}\\n`));
    assert.match(
      listed.out,
      /^ {4}Centrum, Leyweg; profiel \/ profile mtp-generic, gekoppeld .* door \/ by beheerder/m,
    );

    const number = await type("bodycams", "pair", "BC_0101", ...pair.slice(3), SLOT, "--by", "x");
    assert.equal(number.code, 2);
    assert.match(number.err, /een nummer, .* \/ a number, .*: bc-0101$/m);
    const nothing = await type(...pair, OTHER_SLOT, "--by", "beheerder");
    assert.equal(nothing.code, 1);
    assert.match(nothing.err, /^BODYCAM_REFUSED: .* \/ .*\nnothing is in slot 0000/);
    const person = await type(...pair, SLOT, "--by", "Jan Jansen");
    assert.equal(person.code, 2);
    assert.match(person.err, /een rol \/ a role/);

    const retire = ["bodycams", "retire", "bc-0101", "--by", "beheerder", "--reason"];
    assert.equal((await type(...retire, "kapot")).out, "bc-0101  ontkoppeld / retired\n");
    assert.match((await type("bodycams", "list")).out, /ontkoppeld sinds \/ retired since/);
    assert.match((await type(...retire, "Jan liet hem vallen")).err, /een woord/);
    assert.deepEqual(await core.pairing.pairings(), []);
  });
});

const BUSY: SlotNews = {
  slot: SLOT,
  number: "bc-0101",
  state: "busy",
  why: null,
  files: 3,
  filesDone: 1,
  bytes: 3_000_000,
  bytesDone: 1_000_000,
  bytesPerSecond: 20e6,
  secondsLeft: 1,
  hoursFree: null,
  since: isoOf(START),
  readySince: null,
  readyUptimeMs: null,
};

describe("a running box", () => {
  it("does not start with a number that is in the configuration and paired", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    const { config } = site.demo;
    const paired = { ...config, bodycams: [] };
    await whileRunning(site, async () => undefined, paired);
    const key = parseNodeKey(originOf(config), await readSecret("node.key", config.state));
    {
      await using database = await openDatabase(catalogPath(config));
      const { folder } = site;
      const rig = { folder, clock: handClock(START), database, key, box: { node: config.node } };
      await pairingOf(rig, [SEEN]).pair();
    }
    const start = runCore(site.clock, capturedEvents([]), unattended(site.clock), config, NEVER);
    await assert.rejects(start, {
      code: "CONFIG_INVALID",
      message: /^bodycams: bc-0101 is paired/,
    });
    await whileRunning(
      site,
      async (ask) => {
        assert.equal((await ask("docks.pairings", {})).cameras[0]?.number, "bc-0101");
        await ask("bodycams.retire", { number: CAMERA, by: "beheerder", reason: "map" });
      },
      paired,
    );
    await whileRunning(site, async () => undefined);
  });

  it("keeps the newest that the dock said of its slots, and nothing that it could not have said", async () => {
    await using site = await openSite(START, ["bc-0101"], 3);
    await whileRunning(site, async (ask) => {
      assert.deepEqual(
        { ...(await ask("docks", {})), devices: [] },
        { at: null, slots: [], devices: [] },
      );
      await ask("docks.news", { slots: [BUSY] });
      const done: SlotNews = {
        ...BUSY,
        state: "done",
        readySince: isoOf(START),
        readyUptimeMs: 5000,
      };
      await ask("docks.news", { slots: [done] });
      const { at, slots } = await ask("docks", {});
      assert.deepEqual(slots, [done]);
      assert.equal(at, isoOf(site.clock.now()));
      const { configured, bodycams } = await ask("bodycams", {});
      assert.deepEqual(bodycams, []);
      assert.deepEqual(
        configured.map(({ number }) => number),
        ["bc-0101"],
      );
      const pair = { number: "bc-0101", slot: SLOT, profile: "generic-dcim", by: "beheerder" };
      const asked = METHODS["bodycams.pair"].params.parse(pair);
      await assert.rejects(ask("bodycams.pair", asked), { code: "BODYCAM_REFUSED" });
    });
    const news = METHODS["docks.news"].params;
    for (const wrong of [{ state: "klaar" }, { files: -1 }, { person: "x" }, { since: "now" }])
      assert.ok(!news.safeParse({ slots: [{ ...BUSY, ...wrong }] }).success, JSON.stringify(wrong));
  });
});
