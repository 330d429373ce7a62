import picomatch from "picomatch";
import { printable } from "#base/printable";

/** Where a camera model keeps its files and how it names them: data, given to the driver. */
export interface CameraProfile {
  readonly media: readonly string[];
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
}

/** What a profile makes of a path on the card. */
type FileKind = "media" | "other" | "ignored";
export type Sort = (path: Uint8Array) => FileKind;

/**
 * Sorts the files of a card. Globs see a name as people do; a byte that is no text never matches, so an
 * odd name is `other` and is taken, not passed over.
 */
export function sorter(profile: Pick<CameraProfile, "media" | "ignore">): Sort {
  const options = { nocase: true, dot: true };
  const isMedia = picomatch([...profile.media], options);
  const isIgnored =
    profile.ignore.length > 0 ? picomatch([...profile.ignore], options) : () => false;
  return (path) => {
    const shown = printable(path);
    if (isIgnored(shown)) return "ignored";
    return isMedia(shown) ? "media" : "other";
  };
}
