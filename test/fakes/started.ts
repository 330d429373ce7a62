import assert from "node:assert/strict";
import { MINUTE_MS } from "#base/time";
import type { SimulatedClock } from "../../daemon/demo/simulated-clock.ts";

/** So many loops sleep once core and a dock of folders have started: one that has not is behind simulated time. */
const LOOPS = 19;
const PATIENCE_MS = 3 * MINUTE_MS;

/**
 * Resolves when core and dock have started, all of them. Let no time pass before that: a loop that is still at its
 * first turn would look at what was then, and nobody waits for it.
 */
export async function started(clock: SimulatedClock, signal: AbortSignal): Promise<void> {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  try {
    await clock.asleep(LOOPS, AbortSignal.any([signal, patience]));
  } catch (error) {
    assert.ok(
      !patience.aborted,
      `core and dock have fewer loops than ${LOOPS}, or one never sleeps`,
    );
    throw error;
  }
}
