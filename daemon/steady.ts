import { atMostEvery } from "#base/at-most-every";
import { BewaardError } from "#base/errors";
import { type Clock, HOUR_MS } from "#base/time";
import type { Events } from "./events.ts";

/** Does one turn of a loop. What is foreseen to pass is said, once an hour, and left to the next turn. */
export type Turn = (body: () => Promise<void>) => Promise<void>;

/** Keeps a loop going through a full disk or a vault that is away; a bug still ends the process. */
export function steady(clock: Clock, events: Events, loop: string): Turn {
  const hourly = atMostEvery(clock, HOUR_MS);
  return async (body) => {
    try {
      await body();
    } catch (error) {
      if (!(error instanceof BewaardError && error.transient)) throw error;
      if (hourly(error.code)) events.turnFailed(loop, error);
    }
  };
}
