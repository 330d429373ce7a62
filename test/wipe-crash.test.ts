import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { STEPS, type Step } from "#base/step";
import { HOUR_MS } from "#base/time";
import { rowsOf } from "./fakes/medium.ts";
import { named, openRig, type Rig } from "./fakes/rig.ts";
import { stored, wiped } from "./fakes/wiping.ts";

const HOOK = new URL("./crash/hook.ts", import.meta.url).href;
const WIPING = fileURLToPath(new URL("./crash/wiping.ts", import.meta.url));

/** Core and helper at the rig's card, killed at `step` or to the end: what is on the card then. */
function wipe(rig: Rig, step: Step | undefined): string {
  const env = { ...process.env, CRASH_AT: step ?? "", CRASH_NTH: "1" };
  const args = ["--import", HOOK, WIPING, rig.folder, String(rig.clock.now())];
  const { signal, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
  return signal ?? (stdout === "" ? stderr : stdout);
}

describe("core that is killed while it has a card wiped (invariants 1, 5, 8)", function () {
  this.timeout(60_000);
  for (const step of STEPS.filter((one) => one.startsWith("wipe."))) {
    it(`at ${step}: the card is empty in the end, and each order has one entry`, async () => {
      await using rig = await openRig();
      const pem = rig.key.privateKey.export({ type: "pkcs8", format: "pem" });
      await writeFile(join(rig.folder, "node.key"), pem);
      const ids = [await stored(rig, "one", named(0)), await stored(rig, "two", named(1))];
      assert.equal(wipe(rig, step), "SIGKILL");
      // An order that never got to the helper is given up first.
      for (let starts = 0; starts < 2 && wipe(rig, undefined) !== "[]"; starts += 1)
        rig.clock.move(2 * HOUR_MS);
      assert.equal(wipe(rig, undefined), "[]");
      const told = await wiped(rig);
      assert.equal(new Set(told.map(({ order }) => order)).size, told.length);
      assert.deepEqual(new Set(told.flatMap(({ removed }) => removed)), new Set(ids));
      assert.equal(told.flatMap(({ removed }) => removed).length, ids.length);
      const [open] = await rowsOf(rig, "select count(*) as open from wipe where outcome is null");
      assert.equal(open?.["open"], 0);
      assert.deepEqual(await readdir(join(rig.folder, "orders")), []);
      const [camera] = await rowsOf(rig, "select emptied_at_ms from device");
      assert.ok(Number(camera?.["emptied_at_ms"]) > 0);
      assert.deepEqual(await rig.check(), []);
    });
  }
});
