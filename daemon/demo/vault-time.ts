import { systemClock } from "#base/system-clock";
import { type Clock, MINUTE_MS, SECOND_MS } from "#base/time";
import { passUntil, type SimulatedClock } from "./simulated-clock.ts";

/** Time of a scene with a bucket: let pass where the bucket is ours, else as it comes. */
export interface VaultTime {
  readonly clock: Clock;
  /** False when it was not seen within a few minutes. */
  until(seen: () => Promise<boolean>, signal: AbortSignal): Promise<boolean>;
  readonly pass?: (ms: number, signal: AbortSignal) => Promise<void>;
}

const PATIENCE_MS = 5 * MINUTE_MS;

/** Of a bucket somewhere: nobody lets its days pass. */
export const realTime: VaultTime = {
  clock: systemClock,
  async until(seen, signal) {
    for (const end = systemClock.uptimeMs() + PATIENCE_MS; systemClock.uptimeMs() < end; ) {
      if (await seen()) return true;
      await systemClock.sleep(SECOND_MS, signal);
    }
    return false;
  },
};

/** Of the box and of the server, which is ahead: a rule of the bucket has run when the box comes to look. */
export function simulatedTime(clock: SimulatedClock, ofServer: SimulatedClock): VaultTime {
  const pass = async (ms: number, signal: AbortSignal): Promise<void> => {
    await ofServer.pass(ms, signal);
    await clock.pass(ms, signal);
  };
  return {
    clock,
    pass,
    until: (seen, signal) =>
      passUntil({ ...clock, pass }, 5 * SECOND_MS, PATIENCE_MS, seen, signal),
  };
}
