import type { Temporal } from "temporal-polyfill";
import { DAY_MS, type Instant, instant } from "#base/time";

/** When a clock on the wall showed a time: once, or, around a change of the clocks, at either of two moments. */
export interface Moments {
  readonly earlier: Instant;
  /** The other moment of a local time that came twice, or that never was; undefined when there is one. */
  readonly later: Instant | undefined;
}

// A manifest has room for these years only.
const LATEST_MS = Date.parse("9999-12-31T00:00:00.000Z");

/**
 * The moments at which clocks of `zone` showed `local`. A time that never was, because clocks were put
 * forward over it, is read with the offset from after and from before the change. Undefined outside
 * the years 1970 to 9999.
 */
export function momentsOf(zone: string, local: Temporal.PlainDateTime): Moments | undefined {
  const at = (disambiguation: "earlier" | "later"): number =>
    local.toZonedDateTime(zone, { disambiguation }).epochMilliseconds;
  return moments(at("earlier"), at("later"));
}

/** The moments of a stamp that was written `ms` before what it tells. */
export function moved({ earlier, later }: Moments, ms: number): Moments | undefined {
  return moments(earlier + ms, later === undefined ? earlier + ms : later + ms);
}

export function moments(earlier: number, later: number): Moments | undefined {
  if (earlier < DAY_MS || later > LATEST_MS) return undefined;
  return { earlier: instant(earlier), later: later === earlier ? undefined : instant(later) };
}
