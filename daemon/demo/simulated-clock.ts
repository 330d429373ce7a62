import { systemClock } from "#base/system-clock";
import { type Clock, type Instant, instant, MINUTE_MS, plus } from "#base/time";

/** A clock that stands still until it is told that time passes. For the demo and the tests. */
export interface SimulatedClock extends Clock {
  /**
   * Lets `ms` pass for everybody: whoever slept until then wakes (late, as on a busy machine), and it
   * resolves when all are asleep again. Rejects when the signal aborts, for then nobody falls asleep.
   */
  pass(ms: number, signal: AbortSignal): Promise<void>;
  /** Resolves once `count` loops sleep at the same time: everything has started. Rejects when the signal aborts. */
  asleep(count: number, signal: AbortSignal): Promise<void>;
  /** Somebody sets the clock: wall time moves, uptime does not. */
  jump(ms: number): void;
  /** The machine starts again after being off for `offMs`. */
  restart(offMs: number): void;
}

interface Sleeper {
  readonly untilMs: number;
  readonly wake: () => void;
}

export function simulatedClock(start: Instant): SimulatedClock {
  let now = start;
  let uptimeMs = 1000;
  let boot = 1;
  const sleepers = new Set<Sleeper>();
  // As many loops as ever slept at once: when that many sleep again, nothing is going on.
  let loops = 0;
  let quiet = nobodyWaits;

  async function settled(signal: AbortSignal): Promise<void> {
    if (sleepers.size >= loops) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = (): void => reject(signal.reason);
    signal.addEventListener("abort", stop);
    quiet = resolve;
    try {
      await promise;
    } finally {
      quiet = nobodyWaits;
      signal.removeEventListener("abort", stop);
    }
  }

  return {
    now: () => now,
    uptimeMs: () => uptimeMs,
    // As the kernel writes it: orders about cards carry it.
    bootId: () => `00000000-0000-4000-8000-${String(boot).padStart(12, "0")}`,
    sleep(ms, signal) {
      if (signal.aborted) return Promise.reject(signal.reason);
      return new Promise((resolve, reject) => {
        const abort = (): void => {
          sleepers.delete(sleeper);
          if (sleepers.size === 0) loops = 0;
          reject(signal.reason);
        };
        const wake = (): void => {
          sleepers.delete(sleeper);
          signal.removeEventListener("abort", abort);
          resolve();
        };
        const sleeper = { untilMs: uptimeMs + ms, wake };
        signal.addEventListener("abort", abort, { once: true });
        sleepers.add(sleeper);
        loops = Math.max(loops, sleepers.size);
        if (sleepers.size >= loops) quiet();
      });
    },
    async pass(ms, signal) {
      signal.throwIfAborted();
      now = plus(now, ms);
      uptimeMs += ms;
      const due = [...sleepers].filter(({ untilMs }) => untilMs <= uptimeMs);
      for (const sleeper of due) sleeper.wake();
      await settled(signal);
    },
    async asleep(count, signal) {
      signal.throwIfAborted();
      loops = Math.max(loops, count);
      await settled(signal);
    },
    jump(ms) {
      now = plus(now, ms);
    },
    restart(offMs) {
      now = plus(now, offMs);
      uptimeMs = 1000;
      boot += 1;
    },
  };
}

function nobodyWaits(): void {}

/**
 * On a busy machine a loop that has only just started is behind simulated time, and may have gone to sleep when it
 * was over: it is given this, of real time, and a minute of simulated time with each.
 */
const LOOK_AGAIN_MS = 100;
const LOOKS_MORE = 100;

/** Lets time pass in hops of `hopMs` until `seen` answers true or `limitMs` have passed; says which. */
export async function passUntil(
  clock: SimulatedClock,
  hopMs: number,
  limitMs: number,
  seen: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<boolean> {
  const end = instant(clock.now() + limitMs);
  for (;;) {
    if (await seen()) return true;
    if (clock.now() >= end) break;
    await clock.pass(hopMs, signal);
  }
  for (let looks = 0; looks < LOOKS_MORE; looks += 1) {
    await systemClock.sleep(LOOK_AGAIN_MS, signal);
    if (await seen()) return true;
    await clock.pass(Math.min(hopMs, MINUTE_MS), signal);
  }
  return false;
}
