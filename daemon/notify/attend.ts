import { atMostEvery } from "#base/at-most-every";
import { type Clock, HOUR_MS } from "#base/time";
import { together } from "#base/together";
import type { Events } from "../events.ts";
import { type Attendant, unattended } from "./attendant.ts";
import { feedWatchdog } from "./feed-watchdog.ts";
import type { Manager } from "./manager.ts";
import { openPulses } from "./pulses.ts";
import { type Parts, type Tell, tellHow } from "./tell-how.ts";

/** Whom the parts of this process tell how they do, and who tells it to the manager. */
export interface Attending extends Attendant {
  /** The part ends, to begin anew. */
  readonly ends: (part: string) => void;
  /** Runs `body`, which reads another configuration and has parts end that are to go by it. */
  readonly reload: (body: () => Promise<void>) => Promise<void>;
  /** Until the signal aborts; then the manager hears that this process stops. */
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/**
 * Attends to the parts `names` of this process for `manager`: READY=1 once each has begun and all conditions hold,
 * STATUS= when it has changed, WATCHDOG=1 while no loop is late, STOPPING=1 at the end. Without a manager nothing runs.
 */
export function attend(
  clock: Clock,
  events: Events,
  manager: Manager | undefined,
  names: readonly string[],
): Attending {
  if (manager === undefined)
    return { ...unattended(clock), ends() {}, reload: (body) => body(), async run() {} };
  const { watchdogMs } = manager;
  const pulses = openPulses(clock);
  const parts: Parts = { names, begun: new Map(), isReloading: false, wake() {} };
  const tell = teller(clock, events, manager);
  const feed = async (): Promise<void> => void (await tell("WATCHDOG=1"));
  return {
    loop: (name, deadlineMs, loop) =>
      watchdogMs === undefined
        ? (signal) => loop(clock, signal)
        : (signal) => pulses.run(name, deadlineMs, loop, signal),
    begun(name, part) {
      parts.begun.set(name, part);
      parts.wake();
    },
    ends: (name) => void parts.begun.delete(name),
    async reload(body) {
      parts.isReloading = true;
      parts.wake();
      try {
        await body();
      } finally {
        parts.isReloading = false;
        parts.wake();
      }
    },
    async run(signal) {
      await together(signal, [
        (s) => tellHow(clock, parts, tell, s),
        async (s) => {
          if (watchdogMs !== undefined)
            await feedWatchdog(clock, events, pulses, watchdogMs, feed, s);
        },
      ]);
      await tell("STOPPING=1", "STATUS=stopping");
    },
  };
}

function teller(clock: Clock, events: Events, manager: Manager): Tell {
  const hourly = atMostEvery(clock, HOUR_MS);
  return async (...assignments) => {
    try {
      await manager.tell(...assignments);
      return true;
    } catch (error) {
      // The manager may be busy, or be started anew: what it must know is told again.
      if (hourly("unheard")) events.managerUnheard(error instanceof Error ? error.message : "");
      return false;
    }
  };
}
