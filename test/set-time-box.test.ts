import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { ulid } from "ulid";
import { stringify } from "yaml";
import { parseDeviceId } from "#base/ids";
import { isoOf, MINUTE_MS, SECOND_MS } from "#base/time";
import { together } from "#base/together";
import { readSecret } from "../config/secrets.ts";
import { asker } from "../daemon/control/client.ts";
import { passUntil } from "../daemon/demo/simulated-clock.ts";
import { carryOut } from "../daemon/helper/carry-out.ts";
import { turns } from "../daemon/helper/orders.ts";
import { runCoreOn } from "../daemon/main.ts";
import { unattended } from "../daemon/notify/attendant.ts";
import { ordersPath, originOf, socketPath } from "../daemon/places.ts";
import { parseNodeKey, verifierText } from "../storage/ledger/note.ts";
import { answering } from "./fakes/answering.ts";
import { openHelperRig } from "./fakes/helper-rig.ts";
import { SEEN } from "./fakes/pairing.ts";
import { CAMERA, capturedEvents, START } from "./fakes/rig.ts";
import { TIME_FILE } from "./fakes/setting.ts";
import { openSite, type Site } from "./fakes/site.ts";

const PAIRED = parseDeviceId("bc-0202");

/** The root helper of a box, with the camera in its slot and its card mounted. */
async function openHelper({ clock, demo: { config } }: Site) {
  const helper = await openHelperRig();
  helper.clock.boot = clock.bootId();
  helper.clock.at = isoOf(clock.now());
  await helper.plug("3", "sdb");
  await helper.pair({ number: PAIRED });
  const record = await helper.takeUp("sdb1");
  assert.equal(record?.mountedAt, helper.card);
  // From here on it is this box's.
  const key = parseNodeKey(originOf(config), await readSecret("node.key", config.state));
  await writeFile(helper.places.verifier, `${verifierText(key)}\n`);
  const places = { ...helper.places, state: config.state };
  return {
    helper,
    record,
    async carryOutAll() {
      helper.clock.at = isoOf(clock.now());
      const names = await readdir(ordersPath(config));
      for (const name of names)
        await carryOut(helper.clock, helper.mounts, places, turns(), name.replace(".order", ""));
      return names.length;
    },
    [Symbol.asyncDispose]: () => helper[Symbol.asyncDispose](),
  };
}

describe("a box that is asked over its socket to set a camera's clock", function () {
  this.timeout(60_000);

  it("has its root helper write the file of the profile that the camera is paired with, and says so", async () => {
    await using site = await openSite(START, [CAMERA], 3);
    await using own = await openHelper(site);
    const { config } = site.demo;
    const { helper, record } = own;
    const profile = join(site.folder, "own.yaml");
    const shipped = await readFile(
      new URL("../config/profiles/generic-dcim.yaml", import.meta.url),
      "utf8",
    );
    await writeFile(profile, `${shipped}\n${stringify({ set_time: TIME_FILE })}`);
    const said: string[] = [];
    const camera = { ...SEEN, serial: record?.serial ?? null };
    const machine = {
      look: async () => [camera],
      reports: helper.places.reports,
      owner: process.getuid?.() ?? 0,
    };
    const finished = new AbortController();
    await together(finished.signal, [
      (s) =>
        runCoreOn(site.clock, capturedEvents(said), unattended(site.clock), config, machine, s),
      async (s) => {
        const ask = asker(socketPath(config), s);
        await answering(ask, s);
        const at = record?.at ?? "";
        const { slot } = camera;
        await ask("bodycams.pair", { number: PAIRED, slot, profile, by: "beheerder" });
        const docking = ulid(site.clock.now());
        assert.ok(record);
        const set = () =>
          ask("docks.set-time", { docking, record: { ...record, at }, offsetMs: 42 });
        assert.deepEqual(await set(), { state: "later", why: "clock" });
        await ask("clock.confirm", { timeMs: site.clock.now(), by: "test" });
        assert.deepEqual(await set(), { state: "open", why: null });
        assert.equal(await own.carryOutAll(), 1);
        const isDone = async () => (await set()).state === "done";
        assert.ok(await passUntil(site.clock, SECOND_MS, MINUTE_MS, isDone, s));
        finished.abort();
      },
    ]);
    const text = await readFile(join(helper.card, TIME_FILE.path), "utf8");
    assert.match(text, /^2026-06-01 12:0\d:\d\d\r\n$/);
    assert.deepEqual(
      said.filter((event) => /^clock-(?:not|ordered|set)/.test(event)),
      ["clock-not-set-now", "clock-ordered", "clock-set"],
    );
    assert.deepEqual(await readdir(ordersPath(config)), []);
  });
});
