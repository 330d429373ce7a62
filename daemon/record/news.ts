import { atMostEvery } from "#base/at-most-every";
import { diskError } from "#base/disk-errors";
import { BewaardError } from "#base/errors";
import { type Clock, every, HOUR_MS, MINUTE_MS } from "#base/time";
import type { Events } from "../events.ts";

/**
 * Keeps a socket served until the signal aborts. What it tells is news: when it cannot be opened that is
 * said, once an hour, and tried again each minute, while cameras are recorded.
 */
export async function tellNews(
  clock: Clock,
  events: Events,
  path: string,
  serve: (path: string, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const hourly = atMostEvery(clock, HOUR_MS);
  for await (const _ of every(clock, MINUTE_MS, signal)) {
    try {
      await serve(path, signal);
    } catch (error) {
      const refused = diskError(error, `opening ${path}`);
      if (!(refused instanceof BewaardError)) throw refused;
      if (hourly(refused.code)) events.socketDelayed(refused);
    }
  }
}
