import { Temporal } from "temporal-polyfill";
import { printable } from "#base/printable";
import { type Instant, instant } from "#base/time";
import type { CameraProfile } from "./profile.ts";

/**
 * The start of a recording as its name tells it, or undefined when the name tells none. A local time
 * that came twice (end of summer time) counts as the earlier one: footage is never kept too long.
 */
export function startInName(profile: CameraProfile, path: Uint8Array): Instant | undefined {
  if (profile.start_in_name === null) return undefined;
  const name = printable(path).split("/").at(-1) ?? "";
  const groups = new RegExp(profile.start_in_name, "u").exec(name)?.groups;
  if (!groups) return undefined;
  const at = (group: string): number => Number(groups[group]);
  try {
    const local = Temporal.PlainDateTime.from(
      {
        year: at("year"),
        month: at("month"),
        day: at("day"),
        hour: at("hour"),
        minute: at("minute"),
        second: at("second"),
      },
      { overflow: "reject" },
    );
    const zoned = local.toZonedDateTime(profile.zone, { disambiguation: "earlier" });
    return zoned.epochMilliseconds > 0 ? instant(zoned.epochMilliseconds) : undefined;
  } catch (error) {
    // 20261332_256199 fits the pattern and is no time.
    if (error instanceof RangeError || error instanceof TypeError) return undefined;
    throw error;
  }
}
