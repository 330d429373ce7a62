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
import { clocksSet } from "./fakes/setting.ts";
import { stored } from "./fakes/wiping.ts";

const HOOK = new URL("./crash/hook.ts", import.meta.url).href;
const SETTING = fileURLToPath(new URL("./crash/setting.ts", import.meta.url));

/** Core and helper at the rig's camera, killed at `step` or to the end: how far its clock is then. */
function setClock(rig: Rig, step: Step | undefined): string {
  const env = { ...process.env, CRASH_AT: step ?? "", CRASH_NTH: "1" };
  const args = ["--import", HOOK, SETTING, rig.folder, String(rig.clock.now())];
  const { signal, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
  return signal ?? (stdout === "" ? stderr : stdout);
}

describe("core that is killed while it has a clock set (invariants 5, 8)", function () {
  this.timeout(60_000);
  for (const step of STEPS.filter((one) => one.startsWith("clock."))) {
    it(`at ${step}: it is set in the end, once, and each order has one entry`, async () => {
      await using rig = await openRig();
      const pem = rig.key.privateKey.export({ type: "pkcs8", format: "pem" });
      await writeFile(join(rig.folder, "node.key"), pem);
      await stored(rig, "one", named(0));
      assert.equal(setClock(rig, step), "SIGKILL");
      // An order that never got to the helper is given up first.
      for (let starts = 0; starts < 3 && setClock(rig, undefined) !== "done"; starts += 1)
        rig.clock.move(2 * HOUR_MS);
      assert.equal(setClock(rig, undefined), "done");
      const told = await clocksSet(rig);
      assert.equal(new Set(told.map(({ order }) => order)).size, told.length);
      assert.equal(told.filter(({ outcome }) => outcome === "done").length, 1);
      const [open] = await rowsOf(
        rig,
        "select count(*) as open from time_order where outcome is null",
      );
      assert.equal(open?.["open"], 0);
      assert.deepEqual(await readdir(join(rig.folder, "orders")), []);
      assert.deepEqual(await rig.check(), []);
    });
  }
});
