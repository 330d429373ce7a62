declare const brand: unique symbol;

/** Wall time in one representation: whole milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number & { readonly [brand]: "Instant" };

/** The only way this program may learn or spend time. Tests and the demo pass a simulated one. */
export interface Clock {
  /** Wall time. May jump when somebody sets it; never use it to measure a duration. */
  now(): Instant;
  /** Milliseconds since this machine started, sleep included. Never jumps. */
  uptimeMs(): number;
  /** Changes with every start of the machine. */
  bootId(): string;
  /** Resolves after `ms` (at most one day), or rejects with the signal's reason as soon as it aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Brands `ms` after checking that it is a whole, non-negative number. */
export function instant(ms: number): Instant {
  if (!isInstant(ms)) throw new RangeError(`not an instant: ${ms}`);
  return ms;
}

function isInstant(ms: number): ms is Instant {
  return Number.isSafeInteger(ms) && ms >= 0 && ms <= 8_640_000_000_000_000;
}

export function plus(at: Instant, ms: number): Instant {
  return instant(at + ms);
}

/** The instant as `2026-11-22T16:03:00.000Z`: the one text form in manifests, ledger and logs. */
export function isoOf(at: Instant): string {
  return new Date(at).toISOString();
}

/** Reads exactly the form that `isoOf` writes. @throws RangeError for any other text. */
export function instantOf(iso: string): Instant {
  const at = instant(Date.parse(iso));
  if (isoOf(at) !== iso) throw new RangeError(`not a UTC time with milliseconds: ${iso}`);
  return at;
}

/** The UTC calendar day, `2026-11-22`. */
export function dayOf(at: Instant): string {
  return isoOf(at).slice(0, 10);
}

/**
 * Yields at once, then every `periodMs`, until the signal aborts. Never overlaps itself. A period that is a
 * function is asked anew before each wait.
 */
export async function* every(
  clock: Clock,
  periodMs: number | (() => number),
  signal: AbortSignal,
): AsyncGenerator<Instant, void, undefined> {
  while (!signal.aborted) {
    yield clock.now();
    try {
      await clock.sleep(typeof periodMs === "number" ? periodMs : periodMs(), signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
