import { openBackOff } from "#base/back-off";
import type { BewaardError } from "#base/errors";
import { MINUTE_MS, SECOND_MS } from "#base/time";
import { causeOf } from "./causes.ts";

/** When a camera is tried again, after attempts that failed. Times are the clock's `uptimeMs`. */
export interface Tries {
  /** `stamp` changes with the file of its password. */
  due(nowMs: number, stamp: string): boolean;
  failed(error: BewaardError, attempt: Failure): void;
}

interface Failure {
  readonly beganMs: number;
  readonly recordedMs: number;
  /** Of the password that it was tried with. */
  readonly stamp: string;
}

const FIRST_WAIT_MS = SECOND_MS;
const LONGEST_WAIT_MS = 30 * SECOND_MS;
/** Recorded for so long, a camera is well again. */
const WELL_MS = 10 * SECOND_MS;
/** A camera may be starting, or somebody be changing its password just now. */
const QUICK_REFUSALS = 3;
const REFUSED_WAIT_MS = 5 * MINUTE_MS;

/**
 * Waits double from one second to 30; for a login that is refused they are 30 s, and from the third refusal in
 * a row five minutes, as cameras lock out who goes on (decision 0021). With another password: at once.
 */
export function openTries(random: () => number): Tries {
  const backOff = openBackOff(FIRST_WAIT_MS, LONGEST_WAIT_MS, random);
  let nextMs = Number.NEGATIVE_INFINITY;
  /** Also while it cannot be reached in between: that is how some lock out. */
  let refusals = 0;
  let refused: string | undefined;
  let waitsForLogin = false;
  return {
    due: (nowMs, stamp) => nowMs >= nextMs || (waitsForLogin && refused !== stamp),
    failed(error, { beganMs, recordedMs, stamp }) {
      if (recordedMs >= WELL_MS) backOff.reset();
      if (recordedMs > 0 || refused !== stamp) refusals = 0;
      waitsForLogin = !error.transient && causeOf(error) === "camera-login";
      if (!waitsForLogin) {
        nextMs = beganMs + backOff.next();
        return;
      }
      refusals += 1;
      refused = stamp;
      nextMs = beganMs + (refusals < QUICK_REFUSALS ? LONGEST_WAIT_MS : REFUSED_WAIT_MS);
    },
  };
}
