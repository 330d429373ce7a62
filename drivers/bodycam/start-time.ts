import { Temporal } from "temporal-polyfill";
import { printable } from "#base/printable";
import type { Instant } from "#base/time";
import { type Moments, moments, momentsOf } from "./local-time.ts";
import type { CameraProfile } from "./profile.ts";

/**
 * What the name of a recording tells, in the zone the camera's clock keeps; undefined when it tells no
 * time. Whether that is the start is for the profile to say. Any bytes are a name.
 */
export function stampInName(
  profile: Pick<CameraProfile, "start_in_name" | "zone">,
  path: Uint8Array,
): Moments | undefined {
  if (profile.start_in_name === null) return undefined;
  const name = printable(path).split("/").at(-1) ?? "";
  const groups = new RegExp(profile.start_in_name, "u").exec(name)?.groups;
  if (!groups) return undefined;
  const at = (group: string): number => Number(groups[group] || "none");
  // Two digits are a year of this century: no camera of the last one made a file.
  const century = groups["year"]?.length === 2 ? 2000 : 0;
  return possibly(() => {
    const local = Temporal.PlainDateTime.from(
      {
        year: century + at("year"),
        month: at("month"),
        day: at("day"),
        hour: at("hour"),
        minute: at("minute"),
        second: at("second"),
      },
      // 29 February of another year, 24:00 and the 60th second are no times of a camera's clock.
      { overflow: "reject" },
    );
    return momentsOf(profile.zone, local);
  });
}

/** The number of a file in its name: group `seq` of the same expression; undefined where there is none. */
export function counterInName(
  { start_in_name }: Pick<CameraProfile, "start_in_name">,
  path: Uint8Array,
): number | undefined {
  if (start_in_name === null) return undefined;
  const name = printable(path).split("/").at(-1) ?? "";
  const digits = new RegExp(start_in_name, "u").exec(name)?.groups?.["seq"];
  return digits !== undefined && /^\d{1,15}$/.test(digits) ? Number(digits) : undefined;
}

/**
 * What a container's `2026-11-22T16:03:09.000000Z` tells: cameras that write local time put the same Z
 * behind it, so that the profile has to say which it is.
 */
export function stampInContainer(
  { container_time, zone }: Pick<CameraProfile, "container_time" | "zone">,
  createdAt: string,
): Moments | undefined {
  const [, digits] = /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.\d+)?Z?$/.exec(createdAt) ?? [];
  if (digits === undefined || digits.endsWith(":60") || container_time === "none") return undefined;
  return possibly(() =>
    momentsOf(container_time === "utc" ? "UTC" : zone, Temporal.PlainDateTime.from(digits)),
  );
}

/** What a file's time of change tells: the digits of a FAT card mounted with tz=UTC are local ones. */
export function stampOfFile(
  { file_times, zone }: Pick<CameraProfile, "file_times" | "zone">,
  modifiedAt: Instant,
): Moments | undefined {
  if (file_times === "utc") return moments(modifiedAt, modifiedAt);
  const shown = Temporal.Instant.fromEpochMilliseconds(modifiedAt).toZonedDateTimeISO("UTC");
  return possibly(() => momentsOf(zone, shown.toPlainDateTime()));
}

/** 20261332_256199 fits a pattern and is no time. */
function possibly(read: () => Moments | undefined): Moments | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return undefined;
    throw error;
  }
}
