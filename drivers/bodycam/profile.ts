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
}

/** What a profile makes of a path on the card. */
export type FileKind = "media" | "other" | "ignored";

/**
 * Sorts the files of a card. Globs see a name as people do; a byte that is no text never matches, so an
 * odd name is `other` and is taken, not passed over.
 */
export function sorter(profile: CameraProfile): (path: Uint8Array) => FileKind {
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
