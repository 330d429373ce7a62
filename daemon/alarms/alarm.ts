import type { Instant } from "#base/time";
import type { Rule } from "./standing.ts";

/** Something bad that was seen. */
export interface Sign {
  /** What it is about: a camera, a session; empty for the box. Never a person. */
  readonly about: string;
  /** Since when it is so, where that is known better than by the look that saw it first: its stages count from then. */
  readonly since?: Instant;
  /** Tells it, as one event. */
  readonly tell: () => void;
}

/** One kind of alarm. */
export interface Alarm {
  readonly name: AlarmName;
  readonly rule: Rule;
  /**
   * All that is bad now; what is not named is good. Undefined while nobody can tell, and then nothing changes. What is
   * raised is measured by a milder limit, so that nothing goes to and fro about one number: `isRaised` tells.
   * Cheap: asked each minute. A failure is BewaardError; the others are looked at all the same.
   */
  readonly look: (
    now: Instant,
    isRaised: (about: string) => boolean,
    signal: AbortSignal,
  ) => Promise<readonly Sign[] | undefined>;
  /** Tells that it is over, as one event. */
  readonly tellOver: (about: string, since: Instant) => void;
}

/** Stable: administrators match on them, in metrics and in `bewaarctl status`. */
export const ALARM_NAMES = [
  "backup-old",
  "bodycam-away",
  "breaches-last",
  "checkpoint-missed",
  "clock-untrusted",
  "desk-unreadable",
  "disk-left",
  "held-nowhere",
  "not-recording",
  "root-session",
  "upload-late",
  "vault-outside",
] as const;

export type AlarmName = (typeof ALARM_NAMES)[number];

/** An alarm that was told once and is not told again while it lasts. */
export function once(): number {
  return 0;
}
