import { readFileSync } from "node:fs";
import { uptime } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { type Clock, DAY_MS, instant } from "./time.ts";

/** The machine's own clocks. */
export const systemClock: Clock = {
  now: () => instant(Date.now()),
  uptimeMs: () => Math.round(uptime() * 1000),
  bootId: () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
  sleep: async (ms, signal) => {
    // A longer timer would wrap at 24.8 days and fire at once; due dates belong in the catalog.
    if (ms > DAY_MS) throw new RangeError(`sleep of ${ms} ms: no timer may be longer than a day`);
    await delay(ms, undefined, { signal });
  },
};
