import { performance } from "node:perf_hooks";
import type { Clock } from "#base/time";

/**
 * What `look` finds, or `late` when it says nothing for `patienceMs`. What this process itself was at work meanwhile does not
 * count: a slow processor with much to look at is no disk that does not answer.
 */
export async function inTime<T>(
  clock: Clock,
  patienceMs: number,
  look: (signal: AbortSignal) => Promise<T>,
  late: T,
  signal: AbortSignal,
): Promise<T> {
  const enough = new AbortController();
  const stop = AbortSignal.any([signal, enough.signal]);
  const begun = performance.eventLoopUtilization();
  async function patience(): Promise<T> {
    await clock.sleep(patienceMs, stop);
    await clock.sleep(performance.eventLoopUtilization(begun).active, stop);
    return late;
  }
  const waited = patience();
  try {
    return await Promise.race([look(stop), waited]);
  } finally {
    enough.abort();
    // The loser of the race; its rejection says only that we are done with it.
    waited.catch(() => undefined);
  }
}
