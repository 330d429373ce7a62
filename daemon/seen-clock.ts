import type { Clock } from "#base/time";

/** A camera's clock as it was seen at a docking. */
export interface SeenClock {
  /** The camera's clock less ours, in ms, at that moment. */
  readonly offsetMs: number;
  /** Our wall time less our uptime, in ms, at that moment: by it a jump of our own clock shows. */
  readonly wallLessUptimeMs: number;
}

/** What was measured just now. */
export function seenNow(clock: Clock, offsetMs: number): SeenClock {
  return { offsetMs, wallLessUptimeMs: clock.now() - clock.uptimeMs() };
}

/**
 * The camera's clock less ours as it is now, in ms: both run on, but ours may have been set since, and the
 * camera's is not nearer to the right time for that. Null when it was never seen.
 */
export function offsetNow(clock: Clock, seen: SeenClock | undefined): number | null {
  if (seen === undefined) return null;
  return Math.round(seen.offsetMs + seen.wallLessUptimeMs - (clock.now() - clock.uptimeMs()));
}
