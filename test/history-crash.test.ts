import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import type { Step } from "#base/step";
import { systemClock } from "#base/system-clock";
import { instant, SECOND_MS } from "#base/time";
import { findGaps } from "../storage/catalog/find.ts";
import { createIncoming } from "../storage/spool/spool.ts";
import { openRig, type Rig, WALL_CAMERA } from "./fakes/rig.ts";

const HOOK = new URL("./crash/hook.ts", import.meta.url).href;
const GAPS = fileURLToPath(new URL("./crash/gaps.ts", import.meta.url));
const TOLD_AT: readonly Step[] = ["record.marked", "record.gap-told"];

async function tellingKilledAt(rig: Rig, step: Step | undefined): Promise<string> {
  const incoming = await createIncoming(rig.spool, "record");
  const env = { ...process.env, CRASH_AT: step, CRASH_NTH: "1" };
  const args = ["--import", HOOK, GAPS, rig.folder, incoming];
  const { signal, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
  return signal ?? (stdout === "told" ? stdout : stderr);
}

describe("a recorder that is killed while it tells of a gap (invariants 8, 9)", () => {
  for (const step of TOLD_AT) {
    it(`at ${step}: core has it once, and whole`, async () => {
      await using rig = await openRig({ producer: "record" });
      assert.equal(await tellingKilledAt(rig, step), "SIGKILL");
      // Core may take it before the recorder is back, or after.
      await rig.adoptOnce();
      assert.equal(await tellingKilledAt(rig, undefined), "told");
      rig.clock.jump(systemClock.now() - rig.clock.now());
      await rig.adoptOnce();
      const wanted = { device: WALL_CAMERA, from: instant(0), to: instant(9e12) };
      const gaps = await findGaps(rig.database, wanted);
      assert.deepEqual(
        gaps.map(({ cause, startedAt, endedAt }) => [cause, (endedAt - startedAt) / SECOND_MS]),
        [["camera-lost", 10]],
      );
      assert.deepEqual(await rig.check(), []);
    });
  }
});
