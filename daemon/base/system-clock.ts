import { readFileSync } from "node:fs";
import { uptime } from "node:os";
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { type Clock, DAY_MS, instant } from "./time.ts";

/** Uptime counts while the machine sleeps, and Node's own clock does not: they are compared as often. */
const COMPARE_EVERY_MS = 1000;
/** Uptime is read in hundredths of a second, so less is no difference. */
const SLEPT_MS = 100;

let bootId: string | undefined;
let aheadMs = uptime() * 1000 - performance.now();
let comparedAtMs = performance.now();

/** Asking the kernel each time means opening a file, and costs more than what is timed with it. */
function uptimeMs(): number {
  const now = performance.now();
  if (now - comparedAtMs >= COMPARE_EVERY_MS) {
    comparedAtMs = now;
    const newly = uptime() * 1000 - now;
    if (newly - aheadMs > SLEPT_MS) aheadMs = newly;
  }
  return Math.round(now + aheadMs);
}

/** The machine's own clocks. */
export const systemClock: Clock = {
  now: () => instant(Date.now()),
  uptimeMs,
  // A process sees one start of the machine: opening that file each time was a tenth of what looking at empty slots costs.
  bootId: () => (bootId ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
  sleep: async (ms, signal) => {
    // A longer timer would wrap at 24.8 days and fire at once; due dates belong in the catalog.
    if (ms > DAY_MS) throw new RangeError(`sleep of ${ms} ms: no timer may be longer than a day`);
    await delay(ms, undefined, { signal });
  },
};
