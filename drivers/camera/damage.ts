import { type Fragment, shownMs } from "./fragments.ts";
import type { Hole } from "./holes.ts";

/** What of a stretch of stream cannot be relied on: ms since the stream began. */
export interface Damaged {
  readonly fromMs: number;
  readonly untilMs: number;
  /** How many packets are missing. */
  readonly packets: number;
}

/** Follows which pictures of one connection lack something. */
export interface Damage {
  /** Takes in a fragment, and the hole that was found before it came out of ffmpeg. */
  readonly hear: (fragment: Fragment, hole: Hole | undefined) => void;
  /** From the first to the last damage between these two; what lies before is then forgotten. */
  readonly within: (fromMs: number, untilMs: number) => Damaged | undefined;
}

interface Stretch extends Hole {
  /** The key picture that ended it; infinite as long as none has come. */
  readonly untilMs: number;
}

/** One a fragment, longer than any segment. */
const MOST = 10_000;

/** A picture that lacks something spoils all up to the next one that needs none before it. */
export function openDamage(): Damage {
  let stretches: readonly Stretch[] = [];
  return {
    hear(fragment, hole) {
      if (hole) stretches = [...stretches, { ...hole, untilMs: Infinity }].slice(-MOST);
      const video = fragment.runs.find((run) => run.track.kind === "video");
      if (!video || !fragment.keyframe || stretches.length === 0) return;
      const keyMs = shownMs(video);
      stretches = stretches.map((one) =>
        one.untilMs === Infinity && one.toMs < keyMs ? { ...one, untilMs: keyMs } : one,
      );
    },
    within(fromMs, untilMs) {
      const here = stretches.filter((one) => one.fromMs < untilMs && one.untilMs > fromMs);
      stretches = stretches
        .filter((one) => one.untilMs > untilMs)
        .map((one) => (one.fromMs < untilMs ? { ...one, packets: 0 } : one));
      if (here.length === 0) return undefined;
      return {
        fromMs: Math.max(fromMs, Math.min(...here.map((one) => one.fromMs))),
        untilMs: Math.min(untilMs, Math.max(...here.map((one) => one.untilMs))),
        packets: here.reduce((sum, { packets }) => sum + packets, 0),
      };
    },
  };
}
