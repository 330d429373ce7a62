import { type Clock, every } from "#base/time";
import type { Events } from "../events.ts";
import type { Pulses } from "./pulses.ts";

/** So often within the time it has: one that comes late because the machine is busy is no reason to be ended. */
const TIMES = 3;

/**
 * Tells the watchdog, until the signal aborts, that this process does its work; as long as a loop is late it hears
 * nothing, and ends the process when its time is over. Each loop that is late is said once.
 */
export async function feedWatchdog(
  clock: Clock,
  events: Events,
  pulses: Pulses,
  watchdogMs: number,
  feed: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const periodMs = Math.max(1, Math.floor(watchdogMs / TIMES));
  let said: ReadonlySet<string> = new Set();
  for await (const _ of every(clock, periodMs, signal)) {
    const late = pulses.late(periodMs);
    for (const { loop, quietMs } of late) if (!said.has(loop)) events.loopLate(loop, quietMs);
    said = new Set(late.map(({ loop }) => loop));
    if (late.length === 0) await feed();
  }
}
