import { type Clock, every, MINUTE_MS } from "#base/time";
import type { Database } from "../storage/catalog/sqlite.ts";
import type { Events } from "./events.ts";
import { steady } from "./steady.ts";
import { type Heard, hear, timeTrust } from "./trust.ts";

/** Asks outside sources what time it is; one that does not answer is not in the list. Never throws. */
export type TimeSource = (signal: AbortSignal) => Promise<readonly Heard[]>;

const ASK_EVERY_MS = 10 * MINUTE_MS;

/**
 * Asks the outside sources whether this box's time is right (invariant 10): at the start, each 10
 * minutes, and each minute while time is not trusted, until the signal aborts.
 */
export async function keepTime(
  clock: Clock,
  events: Events,
  database: Database,
  sources: readonly TimeSource[],
  signal: AbortSignal,
): Promise<void> {
  const turn = steady(clock, events, "keep-time");
  let asked = Number.NEGATIVE_INFINITY;
  for await (const _ of every(clock, MINUTE_MS, signal)) {
    await turn(async () => {
      const { trusted } = await timeTrust(clock, database);
      if (trusted && clock.uptimeMs() - asked < ASK_EVERY_MS) return;
      asked = clock.uptimeMs();
      const heard = (await Promise.all(sources.map((ask) => ask(signal)))).flat();
      if (signal.aborted) return;
      await hear(clock, database, heard);
    });
  }
}
