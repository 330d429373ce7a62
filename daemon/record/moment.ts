import { type Clock, type Instant, instant, SECOND_MS } from "#base/time";

/** One moment by both clocks: wall time may jump, uptime may not. */
export interface Moment {
  readonly at: Instant;
  readonly bootId: string;
  readonly uptimeMs: number;
}

/** Wall time may be slewed by as much while nothing happens. */
const SLEWED_MS = SECOND_MS;

export function momentOf(clock: Clock): Moment {
  return { at: clock.now(), bootId: clock.bootId(), uptimeMs: clock.uptimeMs() };
}

/** The moment that wall time, as it goes at `now`, calls `at`. */
export function momentAt(now: Moment, at: Instant): Moment {
  return { at, bootId: now.bootId, uptimeMs: now.uptimeMs - (now.at - at) };
}

/** What wall time, as it goes at `now`, calls `moment` of the same start of the machine. */
export function wallTimeOf({ uptimeMs }: Moment, now: Moment): Instant {
  return instant(Math.max(0, Math.round(now.at - (now.uptimeMs - uptimeMs))));
}

/**
 * When `from` was by the wall time of `end`, within one start of the machine: as long before as uptime says,
 * where wall time was set meanwhile.
 */
export function startOf(from: Moment, end: Moment): Instant {
  const counted = wallTimeOf(from, end);
  const wasSet = Math.abs(counted - from.at) > SLEWED_MS || from.at >= end.at;
  return wasSet ? counted : from.at;
}

/** How long it was from `from` to `to`; over a start of the machine, by wall time. */
export function lastedMs(from: Moment, to: Moment): number {
  const ms = from.bootId === to.bootId ? to.uptimeMs - from.uptimeMs : to.at - from.at;
  return Math.max(0, ms);
}

/** Whether `two` comes more than `byMs` after `one`: in one start of the machine by uptime. */
export function isLater(one: Moment, two: Moment, byMs = 0): boolean {
  return one.bootId !== two.bootId || two.uptimeMs > one.uptimeMs + byMs;
}
