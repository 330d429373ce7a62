import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { STEPS, type Step } from "#base/step";
import type { Order, WipeOrder } from "../daemon/orders/order.ts";
import { readReport } from "../daemon/orders/report.ts";
import { dockedRig, type HelperRig } from "./fakes/helper-rig.ts";
import { listed, setTimeOrder } from "./fakes/orders.ts";

const HOOK = new URL("./crash/hook.ts", import.meta.url).href;
const HELPER = fileURLToPath(new URL("./crash/helper.ts", import.meta.url));
const owner = process.getuid?.() ?? 0;
const OF_TIME = STEPS.filter((step) => step.startsWith("helper.time-"));
const OF_WIPE = STEPS.filter((step) => step.startsWith("helper.") && !OF_TIME.includes(step));
const FILES = ["a", "b", "c"];

async function startHelper(rig: HelperRig, crashAt: Step | "", nth = 1): Promise<unknown> {
  const env = { ...process.env, CRASH_AT: crashAt, CRASH_NTH: String(nth) };
  const argv = ["--import", HOOK, HELPER, rig.root, rig.clock.at, rig.clock.boot];
  const child = spawn(process.execPath, argv, { env, stdio: ["ignore", "ignore", "inherit"] });
  const ended: unknown[] = await once(child, "close");
  return ended[1] ?? ended[0];
}

async function onCard(rig: HelperRig): Promise<readonly string[]> {
  return (await readdir(rig.card)).toSorted();
}

/** Kills the helper at a step, starts it twice more, and gives back what was on the card after each. */
async function cutOff(rig: HelperRig, order: Order, step: Step, nth = 1) {
  await rig.leave(order);
  assert.equal(await startHelper(rig, step, nth), "SIGKILL", `never came to ${step}`);
  const killed = await onCard(rig);
  for (let start = 0; start < 2; start += 1) assert.equal(await startHelper(rig, ""), 0);
  assert.deepEqual(await readdir(join(rig.places.state, "orders")), []);
  assert.deepEqual(await onCard(rig), killed, "a second start does nothing to the card");
  // Before it was made writable nobody asked for anything.
  const mode = await readFile(join(rig.root, "content", "mode"), "utf8").catch(() => "ro");
  assert.equal(mode, "ro");
  return { killed, report: await readReport(rig.places.reports, order.nonce, owner) };
}

/** Three files as ordered, one that changed, one that was gone already, one that nobody listed. */
async function rigWithFiles(how: WipeOrder["how"]) {
  const rig = await dockedRig();
  for (const name of FILES) await rig.put(name, "hello");
  await rig.put("changed", "other");
  await rig.put("stranger", "hello");
  const files = [...FILES, "changed", "missing"].map((name) => listed(name, "hello"));
  return { rig, order: rig.order(files, { how }) };
}

describe("the root helper, killed in the middle (invariants 1, 8)", function () {
  this.timeout(240_000);

  for (const step of OF_WIPE) {
    it(`at ${step}: removes nothing that does not match, reports the truth, and never begins again`, async () => {
      const { rig, order } = await rigWithFiles("overwrite");
      await using _ = rig;
      // Of what is done for each file, the second time.
      const nth = /noted|overwritten|unlinked/.test(step) ? 2 : 1;
      const { killed, report } = await cutOff(rig, order, step, nth);
      for (const name of ["changed", "stranger"]) assert.ok(killed.includes(name));
      assert.equal(await readFile(join(rig.card, "stranger"), "utf8"), "hello");
      assert.equal(await readFile(join(rig.card, "changed"), "utf8"), "other");
      const gone = FILES.flatMap((name, index) => (killed.includes(name) ? [] : [index]));
      assert.deepEqual(report?.removed, gone);
      assert.equal(report?.left, killed.length);
      const whole = ["helper.reported", "helper.taken-away"].includes(step);
      assert.equal(report?.outcome, whole ? "done" : "failed");
      assert.equal(report?.kept.length, 5 - gone.length);
      assert.deepEqual(report?.kept.at(-1), { index: 4, why: "gone" });
    });
  }

  for (const step of OF_TIME) {
    it(`at ${step}: the file that sets the time is whole, or as it was`, async () => {
      await using rig = await dockedRig();
      await rig.put("time.txt", "before");
      const order = setTimeOrder({ device: rig.device, template: "{year}" });
      const { report } = await cutOff(rig, order, step);
      const text = await readFile(join(rig.card, "time.txt"), "utf8");
      assert.equal(text, step === "helper.time-named" ? "2026" : "before");
      assert.equal(report?.outcome, "failed");
      // The next order clears away what was left half done.
      await rig.leave({ ...order, nonce: "2".repeat(32) });
      assert.equal(await startHelper(rig, ""), 0);
      assert.deepEqual(await onCard(rig), ["time.txt"]);
      assert.equal(await readFile(join(rig.card, "time.txt"), "utf8"), "2026");
    });
  }
});
