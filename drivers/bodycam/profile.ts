import picomatch from "picomatch";
import { printable } from "#base/printable";

/** Where a camera model keeps its files and how it names them: data, given to the driver. */
export interface CameraProfile {
  readonly media: readonly string[];
  /** What a camera puts beside a recording: taken like all else, and nothing odd. */
  readonly sidecars: readonly string[];
  /** Where a camera was, in files beside its recordings: not taken (DH-05). */
  readonly locations: readonly string[];
  readonly ignore: readonly string[];
  /** Regular expression with named groups year … second, or null when names tell no time. */
  readonly start_in_name: string | null;
  /** IANA zone the camera's clock keeps. */
  readonly zone: string;
  /** What the container's creation time is, whatever it says of its zone; none: not to be read. */
  readonly container_time: "utc" | "local" | "none";
  /** Whether name and container tell when a recording began, or when it ended. */
  readonly stamp_is: "start" | "end";
  /** `local`: a FAT card mounted with `tz=UTC`, whose times of change are the camera's local ones. */
  readonly file_times: "utc" | "local";
  /** In ms: a recording that would be longer has a length, or an end, that is not its own. */
  readonly longest_recording: number;
  /** In ms: the camera records over its oldest within this time by itself. */
  readonly loops_within?: number | null;
  readonly limits: CardLimits;
  /** The file in which the camera says which one it is; it needs it itself. */
  readonly identity?: { readonly file: string } | null;
  /** The file that sets its clock, which is ours. */
  readonly set_time?: { readonly path: string } | null;
}

/** What a card of a model never has more of. */
export interface CardLimits {
  readonly files: number;
  /** Of one file. */
  readonly bytes: number;
  /** How many folders deep it is looked into. */
  readonly depth: number;
}

/** What a profile makes of a path on the card. */
export type FileKind = "media" | "sidecar" | "location" | "other" | "ignored";
export type Sort = (path: Uint8Array) => FileKind;

/**
 * Sorts the files of a card. Globs see a name as people do; a byte that is no text never matches, so an
 * odd name is `other` and is taken, not passed over.
 */
export function sorter(
  profile: Pick<
    CameraProfile,
    "media" | "sidecars" | "locations" | "ignore" | "identity" | "set_time"
  >,
): Sort {
  const identity = profile.identity?.file.toLowerCase();
  const isOurs = oursOn(profile);
  const isMedia = globbing(profile.media);
  const isSidecar = globbing(profile.sidecars);
  const isLocation = globbing(profile.locations);
  const isIgnored = globbing(profile.ignore);
  return (path) => {
    if (isIgnored(path)) return "ignored";
    if (isMedia(path)) return "media";
    if (isLocation(path)) return "location";
    if (isSidecar(path)) return "sidecar";
    // No footage, and never a reason to say that a card is not empty.
    return printable(path).toLowerCase() === identity || isOurs(path) ? "ignored" : "other";
  };
}

/** What the root helper calls a file that it has not finished (daemon/helper/set-time.ts). */
const UNFINISHED = /^[0-9a-f]{32}\.tmp$/;

/** Whether a path on a card is of what we write there to set its camera's clock, or began to when it was pulled out. */
export function oursOn({
  set_time,
}: Pick<CameraProfile, "set_time">): (path: Uint8Array) => boolean {
  if (!set_time) return () => false;
  const own = set_time.path.toLowerCase();
  const folder = own.slice(0, own.lastIndexOf("/") + 1);
  return (path) => {
    const text = printable(path).toLowerCase();
    return text === own || (text.startsWith(folder) && UNFINISHED.test(text.slice(folder.length)));
  };
}

/** Whether a path on a card is one that these globs speak of, whatever the case of its letters. */
export function globbing(globs: readonly string[]): (path: Uint8Array) => boolean {
  if (globs.length === 0) return () => false;
  const matches = picomatch([...globs], { nocase: true, dot: true });
  return (path) => matches(printable(path));
}
