import type { SegmentId } from "#base/ids";
import { type Clock, HOUR_MS, type Instant, instant, SECOND_MS } from "#base/time";
import { newSegmentId } from "../new-id.ts";

// What is known of one camera's recording, and how it changes. Nothing here reads a clock or a disk.

/** One moment by both clocks: wall time may jump, uptime may not. */
export interface Moment {
  readonly at: Instant;
  readonly bootId: string;
  readonly uptimeMs: number;
}

/** A stretch that was not recorded, and that core has not been told of. */
export interface Untold {
  readonly id: SegmentId;
  readonly startedAt: Instant;
  readonly endedAt: Instant;
  readonly cause: string;
}

/**
 * How far a camera's footage is safely stored, and since then: it is `recording`, `beginning` (for the
 * first time, or in a new period), `excused` (nobody expects footage), or a gap is open, of this cause.
 */
export interface Mark {
  readonly until: Moment;
  readonly since: string;
  readonly untold: readonly Untold[];
}

/** A gap that stays open is told in pieces: what is told survives this machine. */
const PIECE_MS = HOUR_MS;
/** Wall time may be slewed by as much while nothing happens. */
const SLEWED_MS = SECOND_MS;
/** A stream's time is reckoned better as it goes on: so much is no gap between two segments. */
const SAME_MS = 500;
const NO_GAP = new Set(["recording", "beginning", "excused"]);

export function momentOf(clock: Clock): Moment {
  return { at: clock.now(), bootId: clock.bootId(), uptimeMs: clock.uptimeMs() };
}

/** The moment that wall time, as it goes at `now`, calls `at`. */
export function momentAt(now: Moment, at: Instant): Moment {
  return { at, bootId: now.bootId, uptimeMs: now.uptimeMs - (now.at - at) };
}

/**
 * The mark of a camera that footage is expected of from `now` on. One that was recording was left so by a
 * recorder that died.
 */
export function begun(mark: Mark | undefined, now: Moment): Mark {
  if (mark === undefined) return { until: now, since: "beginning", untold: [] };
  if (mark.since === "excused") return { ...mark, until: now, since: "beginning" };
  return NO_GAP.has(mark.since) ? { ...mark, since: "crashed" } : mark;
}

/**
 * The camera does not record, because of `cause`. A gap keeps the first cause; only that the connection
 * ended says less than why there is no other. While it has not recorded since the recorder started, at
 * `startedUp`, the outage until then keeps its own cause.
 */
export function broken(mark: Mark, cause: string, startedUp: Moment): Mark {
  if (mark.since === cause || mark.since === "excused") return mark;
  const open = mark.since !== "recording" && mark.since !== "beginning";
  if (!open || mark.since === "camera-lost") return { ...mark, since: cause };
  if (mark.since !== "stopped" && mark.since !== "crashed") return mark;
  // Something was stored since, too little to be called recording.
  if (!isLater(mark.until, startedUp)) return { ...mark, since: cause };
  return { until: startedUp, since: cause, untold: ended(mark, startedUp) };
}

/** The camera records, from `from` on. */
export function resumed(mark: Mark, from: Moment): Mark {
  if (mark.since === "recording") return mark;
  const missing = isLater(mark.until, from, SAME_MS);
  return { until: from, since: "recording", untold: missing ? ended(mark, from) : mark.untold };
}

/**
 * What was recorded from `from` to `until` is safely stored. Of a gap that is open, that is what comes after
 * it; or a piece in its midst, which cuts it in two.
 */
export function stored(mark: Mark, from: Moment, until: Moment): Mark {
  if (mark.since === "excused" || !isLater(mark.until, until)) return mark;
  const missing = gapSince(mark) !== undefined && isLater(mark.until, from, SAME_MS);
  return { ...mark, until, untold: missing ? ended(mark, from) : mark.untold };
}

/** What was recorded from `from` to `to` is lost after all, or is not to be relied on. */
export function lost(mark: Mark, from: Moment, to: Moment, cause: string): Mark {
  // Of the gap that is open.
  if (gapSince(mark) !== undefined && !isLater(from, mark.until)) return mark;
  const gap = gapOf(from, to, cause);
  const until = isLater(mark.until, to) ? to : mark.until;
  return gap ? { ...mark, until, untold: [...mark.untold, gap] } : mark;
}

/** Nobody expects footage of it any more, from `now` on. */
export function excused(mark: Mark, now: Moment): Mark {
  if (mark.since === "excused") return mark;
  return { until: now, since: "excused", untold: ended(mark, now) };
}

/** The recorder stops by itself: what is missing until it runs again is nobody's failure. */
export function stopped(mark: Mark, now: Moment): Mark {
  if (mark.since === "excused") return mark;
  if (gapSince(mark) === undefined) return { ...mark, since: "stopped" };
  return { until: now, since: "stopped", untold: ended(mark, now) };
}

/** Tells of a gap that is open for an hour, and leaves it open. */
export function inPieces(mark: Mark, now: Moment): Mark {
  if (gapSince(mark) === undefined || lastedMs(mark.until, now) < PIECE_MS) return mark;
  return { ...mark, until: now, untold: ended(mark, now) };
}

/** Core has these. */
export function told(mark: Mark, ids: ReadonlySet<SegmentId>): Mark {
  const untold = mark.untold.filter(({ id }) => !ids.has(id));
  return untold.length === mark.untold.length ? mark : { ...mark, untold };
}

/** When the gap began that is open; undefined when none is. */
export function gapSince({ since, until }: Mark): Instant | undefined {
  return NO_GAP.has(since) ? undefined : until.at;
}

/** Whether there is nothing more to remember. */
export function isOver({ since, untold }: Mark): boolean {
  return since === "excused" && untold.length === 0;
}

function ended(mark: Mark, end: Moment): readonly Untold[] {
  const gap = gapSince(mark) === undefined ? undefined : gapOf(mark.until, end, mark.since);
  return gap ? [...mark.untold, gap] : mark.untold;
}

function gapOf(from: Moment, end: Moment, cause: string): Untold | undefined {
  const startedAt = startOf(from, end);
  if (startedAt === undefined) return undefined;
  return { id: newSegmentId(startedAt), startedAt, endedAt: end.at, cause };
}

/**
 * Where a gap from `from` to `end` began, by the wall time of its end: where that was set back meanwhile,
 * as long before its end as it lasted. Undefined where nothing is missing.
 */
function startOf(from: Moment, end: Moment): Instant | undefined {
  const counted = end.at - lastedMs(from, end);
  const startedAt = counted < from.at - SLEWED_MS ? counted : from.at;
  if (startedAt < end.at) return instant(Math.max(0, startedAt));
  // Of an outage across a start of the machine only wall time could tell how long it was.
  return from.bootId === end.bootId ? undefined : end.at;
}

function lastedMs(from: Moment, to: Moment): number {
  const ms = from.bootId === to.bootId ? to.uptimeMs - from.uptimeMs : to.at - from.at;
  return Math.max(0, ms);
}

/** Whether `two` comes more than `byMs` after `one`: in one start of the machine by uptime. */
function isLater(one: Moment, two: Moment, byMs = 0): boolean {
  return one.bootId !== two.bootId || two.uptimeMs > one.uptimeMs + byMs;
}
