import type { Instant } from "#base/time";
import type { Fragment } from "./fragments.ts";

/** How a camera's own clock stands to ours. Evidence beside a recording's time, never that time itself. */
export interface CameraTime {
  /** The camera's clock less ours, in whole ms; null while the camera has not said what time it is. */
  readonly offsetMs: number | null;
  /** `rtcp`: the camera said so in its sender reports. `arrival`: it has not. */
  readonly source: "rtcp" | "arrival";
}

interface CameraTimeReader {
  readonly time: CameraTime;
  /** Takes in a fragment that arrived at `arrival`, and whose first picture we say was at `start`. */
  hear(fragment: Fragment, arrival: Instant, start: Instant): void;
}

/** Beyond this a camera's time is another one, or a mistake. */
const SAME_MS = 2000;
/** So many fragments on end with another time, more than there are between reports: somebody set its clock. */
const LASTING = 30;

/**
 * Reads the camera's clock from what ffmpeg writes before each fragment, which is wrong in two ways: until
 * the camera's first report it is the moment of writing, and where RTP's clock of 32 bits begins anew it
 * is off by 13 hours for some fragments. `reported` says whether that report has come.
 */
export function openCameraTime(reported: () => boolean): CameraTimeReader {
  const time: { offsetMs: number | null; source: CameraTime["source"] } = {
    offsetMs: null,
    source: "arrival",
  };
  /** The camera's time less the stream's: constant as long as nobody sets the camera's clock. */
  let aheadMs: number | undefined;
  let other: { readonly aheadMs: number; readonly times: number } | undefined;

  const settle = (nowAheadMs: number): boolean => {
    if (aheadMs === undefined || Math.abs(nowAheadMs - aheadMs) <= SAME_MS) return true;
    const again = other && Math.abs(nowAheadMs - other.aheadMs) <= SAME_MS;
    other = { aheadMs: nowAheadMs, times: again ? (other?.times ?? 0) + 1 : 1 };
    return other.times >= LASTING;
  };

  return {
    time,
    hear: (fragment, arrival, start) => {
      const { prftMs, mediaMs, durationMs } = fragment;
      if (prftMs === undefined || !reported()) return;
      // What was written just before it came: a first picture's time is a whole fragment ago when the last one arrives; the moment of writing is now.
      if (Math.abs(arrival - prftMs) < durationMs / 2) return;
      const shownMs = prftMs - stampedLaterMs(fragment);
      if (!settle(shownMs - mediaMs)) return;
      aheadMs = shownMs - mediaMs;
      other = undefined;
      time.offsetMs = Math.round(shownMs - start);
      time.source = "rtcp";
    },
  };
}

/**
 * By how much the picture that was stamped is shown later than decoded. ffmpeg's parser gives a picture the
 * stamp of the one whose arrival made it whole, which is the next one that is stored.
 */
function stampedLaterMs(fragment: Fragment): number {
  const video = fragment.runs.find((run) => run.track.kind === "video");
  const stamped = video?.samples[1] ?? video?.samples[0];
  return video && stamped ? (stamped.laterTicks / video.track.timescale) * 1000 : 0;
}
