import type { Track } from "./admitted.ts";
import type { Channels } from "./set-up.ts";

/** Which of the camera's frames may pass. */
export interface Passes {
  /** By the payload type too: no other medium comes along on a channel that is let. */
  readonly let: (track: Track, channels: Channels) => void;
  readonly admit: (channel: number, type: number) => boolean;
  readonly dropped: () => number;
  /** Whether a sender report of the picture has come: from then on the camera has said what time it is. */
  readonly reported: () => boolean;
}

/** RFC 3550 §6.4.1. */
const SENDER_REPORT = 200;

/**
 * Lets nothing pass before it was let, and no report of the sound before one of the picture: at the first
 * report ffmpeg moves the times of every other medium to fit the one that it is of.
 */
export function openPasses(): Passes {
  const allowed = new Map<number, (type: number) => boolean>();
  const reports = new Map<Track["kind"], number>();
  let reported = false;
  let dropped = 0;
  return {
    let({ kind, payload }, [rtp, rtcp]) {
      allowed.set(rtp, (type) => (type & 0x7f) === payload);
      allowed.set(rtcp, (type) => type >= 192 && type <= 223);
      reports.set(kind, rtcp);
    },
    admit(channel, type) {
      const admitted = allowed.get(channel)?.(type) === true;
      if (!admitted) dropped += 1;
      reported ||= channel === reports.get("video") && type === SENDER_REPORT;
      return admitted && (reported || channel !== reports.get("audio"));
    },
    dropped: () => dropped,
    reported: () => reported,
  };
}
