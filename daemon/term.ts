import { CLOCK_SLACK_MS, DUE_MARGIN_MS, TERM_LIMIT_MS } from "#base/term";
import { HOUR_MS, type Instant, instant, plus } from "#base/time";
import type { Device } from "../storage/catalog/devices.ts";
import type { CameraClock, TimeTrust } from "../storage/catalog/segment-row.ts";

/** What policy says about the term (*bewaartermijn*). */
export interface Term {
  /** At most 28 days. */
  readonly termMs: number;
  /** The longest a camera may stay out of its dock. */
  readonly longestUndockedMs: number;
  /** What was held is gone this long after its release, at the latest (DH-09, AR-29). */
  readonly destroyWithinMs: number;
}

/** What decides when a recording is due. */
type OfRecordings = Pick<Term, "termMs" | "longestUndockedMs">;

/** When a recording began, by whom, and what is known of that clock. */
export interface Recorded {
  readonly startedAt: Instant;
  readonly source: string;
  readonly clock: CameraClock;
}

/** Overdue by an untrusted clock: this long for somebody to look (docs/time.md). */
const OVERDUE_LOOK_MS = 72 * HOUR_MS;
/** What was on a card at its first docking may be this much older than its pairing. */
const BEFORE_PAIRING_MS = TERM_LIMIT_MS;

/**
 * When a recording must be destroyed, and how far its claimed start is believed (DH-07). A reset clock
 * must not make fresh footage look old, nor old footage fresh; so a start decides only when it lies
 * after the last emptying and the camera's clock is known to be right.
 */
export function judge(
  recording: Recorded,
  device: Device,
  arrivedAt: Instant,
  { termMs, longestUndockedMs }: OfRecordings,
): { readonly timeTrust: TimeTrust; readonly dueAt: Instant } {
  const claimedDue = recording.startedAt + termMs - DUE_MARGIN_MS;
  if (believed(recording, device, arrivedAt))
    return { timeTrust: "trusted", dueAt: at(claimedDue) };
  const dueAt = dueFromArrival(arrivedAt, { termMs, longestUndockedMs });
  if (claimedDue > arrivedAt) return { timeTrust: "untrusted", dueAt };
  // A policy of a day or two leaves less than 72 hours to look: nothing outlives its term for it.
  const looked = plus(arrivedAt, OVERDUE_LOOK_MS);
  return { timeTrust: "overdue", dueAt: at(Math.min(looked, dueAt)) };
}

/** Due when nothing but the arrival is known: it may have been recorded as early as policy allows. */
export function dueFromArrival(
  arrivedAt: Instant,
  { termMs, longestUndockedMs }: OfRecordings,
): Instant {
  return at(arrivedAt + termMs - longestUndockedMs - DUE_MARGIN_MS);
}

/**
 * How long something that nobody has judged may wait here: after that there are 72 hours left to look at it
 * before it is due from its arrival.
 */
export function longestWaitMs({ termMs, longestUndockedMs }: OfRecordings): number {
  return Math.max(0, termMs - longestUndockedMs - DUE_MARGIN_MS - OVERDUE_LOOK_MS);
}

function believed(
  { startedAt, source, clock }: Recorded,
  device: Device,
  arrivedAt: Instant,
): boolean {
  if (source === "arrival" || source === "modified") return false;
  const after = device.emptiedAt ?? device.pairedAt - BEFORE_PAIRING_MS;
  return (
    clockIsRight(source, clock) && startedAt >= after && startedAt <= arrivedAt + CLOCK_SLACK_MS
  );
}

/** What was seen at this docking says more than what a profile promises. */
function clockIsRight(source: string, { declared, offsetMs }: CameraClock): boolean {
  // A camera in a building: its pictures have the time at which they came here.
  if (offsetMs === null || source === "stream") return declared === "synchronised";
  return Math.abs(offsetMs) <= CLOCK_SLACK_MS;
}

// Never before the epoch: a claim of 1970 is due at once, not invalid.
function at(ms: number): Instant {
  return instant(Math.max(0, ms));
}
