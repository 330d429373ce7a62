import { Temporal } from "temporal-polyfill";
import { CLOCK_SLACK_MS } from "#base/term";
import { type Instant, instantOf, MINUTE_MS } from "#base/time";
import { type CardFile, listCard } from "./card.ts";
import { type CameraProfile, globbing, oursOn } from "./profile.ts";
import { stampOfFile } from "./start-time.ts";

/** What of a profile says how a camera's clock is seen. */
export type ClockProfile = Pick<CameraProfile, "file_times" | "zone" | "limits" | "set_time"> & {
  /** Glob of a file that the camera itself writes at each docking; null where it writes none. */
  readonly clock_file: { readonly path: string; readonly kind: "modified" } | null;
};

/** A recording that docking ended may be closed this much later than the file that tells of docking. */
const CLOSING_MS = MINUTE_MS;

/**
 * The camera's clock less ours, in ms, by the time of the file that the camera wrote when it was docked;
 * `now` is the moment at which it was seen to be docked. "not measurable" where the profile names no such
 * file, where there is none, and where a recording is more than a minute later: then it is of an earlier docking; nor
 * where the card has more files than are listed of it.
 * @throws BewaardError CARD_READ as `listCard`.
 */
export async function measureOffset(
  profile: ClockProfile,
  root: string,
  now: Instant,
): Promise<number | "not measurable"> {
  if (profile.clock_file === null) return "not measurable";
  const card = await listCard(root, profile.limits);
  return card === undefined || card.more ? "not measurable" : offsetOf(profile, card.files, now);
}

/** The same, of files that were listed before. */
export function offsetOf(
  profile: ClockProfile,
  files: readonly CardFile[],
  now: Instant,
): number | "not measurable" {
  const isClock = globbing(profile.clock_file === null ? [] : [profile.clock_file.path]);
  const written = files.filter(({ path }) => isClock(path)).map(({ modifiedAt }) => modifiedAt);
  if (written.length === 0) return "not measurable";
  const last = written.reduce((a, b) => (a > b ? a : b));
  // What we wrote to set the clock is as late as its writing was, in our time.
  const isOurs = oursOn(profile);
  const later = files.some(
    ({ path, modifiedAt }) => modifiedAt > last + CLOSING_MS && !isClock(path) && !isOurs(path),
  );
  const stamp = later ? undefined : stampOfFile(profile, last);
  if (stamp === undefined) return "not measurable";
  // In the hour that comes twice the clock is taken for the one that is nearer to right.
  const offsets = [stamp.earlier, stamp.later ?? stamp.earlier].map((at) => at - now);
  return offsets.reduce((a, b) => (Math.abs(a) <= Math.abs(b) ? a : b));
}

/**
 * `right`: within 5 minutes. `summer-time`: off by what the other season would be, so it was never put
 * forward or back. `reset`: a clock that began again where nothing is set (1970, 1980, 2000, or the day its
 * firmware was made). `wrong`: anything else.
 */
export type ClockFault = "right" | "summer-time" | "reset" | "wrong";

/** No camera that was ever set is this far behind. */
const NEVER_SET_BEFORE = instantOf("2020-01-01T00:00:00.000Z");

/** What is wrong with a clock that is `offsetMs` ahead of ours and is meant to show the time of `zone`. */
export function clockFault(offsetMs: number, zone: string, now: Instant): ClockFault {
  if (Math.abs(offsetMs) <= CLOCK_SLACK_MS) return "right";
  if (now + offsetMs < NEVER_SET_BEFORE) return "reset";
  const near = (ms: number): boolean => Math.abs(offsetMs - ms) <= CLOCK_SLACK_MS;
  return otherSeasons(zone, now).some(near) ? "summer-time" : "wrong";
}

/** How far ahead of the right time a clock of `zone` is that still, or already, keeps another season's. */
function otherSeasons(zone: string, now: Instant): readonly number[] {
  const here = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(zone);
  const before = here.getTimeZoneTransition("previous")?.subtract({ nanoseconds: 1 });
  const after = here.getTimeZoneTransition("next");
  return [before, after].flatMap((then) => {
    const byMs = then ? (then.offsetNanoseconds - here.offsetNanoseconds) / 1e6 : 0;
    return byMs === 0 ? [] : [byMs];
  });
}
