import { BewaardError } from "#base/errors";
import { type Clock, every, SECOND_MS } from "#base/time";
import { type AskForRecorder, URGENT_PART } from "../control/producers.ts";

/** Asks core for room in the spool before it is needed. */
export interface RoomKeeper {
  /** The disk is full: footage that is lost here was in no other place, so it is urgent. */
  want(): void;
  /** Until the signal aborts; `own` is the clock that it sleeps by. */
  run(own: Clock, signal: AbortSignal): Promise<void>;
}

const ASK_EVERY_MS = 10 * SECOND_MS;
const LOOK_EVERY_MS = SECOND_MS;
/** Two minutes of a camera of 4 Mbit/s. */
const AHEAD_BYTES = 60_000_000;

/** Keeps room for so many `cameras` in a spool of `limitBytes`. Core that does not answer stops nothing: what is on the disk waits for it. */
export function roomKeeper(
  clock: Clock,
  ask: AskForRecorder,
  cameras: () => number,
  limitBytes: number,
): RoomKeeper {
  // Of the whole spool: more than that could never be made, or only of what was recorded just now.
  const bytesAhead = () => Math.floor(Math.min(cameras() * AHEAD_BYTES, limitBytes * URGENT_PART));
  let wanted = false;
  let askedMs = -ASK_EVERY_MS;

  async function askFor(urgent: boolean): Promise<boolean> {
    try {
      return (await ask("room", { bytes: bytesAhead(), urgent })).granted;
    } catch (error) {
      if (error instanceof BewaardError) return false;
      throw error;
    }
  }

  return {
    want() {
      wanted = true;
    },
    async run(own, signal) {
      try {
        for await (const _ of every(own, LOOK_EVERY_MS, signal)) {
          if (!wanted && clock.uptimeMs() - askedMs < ASK_EVERY_MS) continue;
          askedMs = clock.uptimeMs();
          if ((await askFor(wanted)) || !wanted) wanted = false;
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
  };
}
