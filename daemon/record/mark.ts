import type { SegmentId } from "#base/ids";
import { HOUR_MS, type Instant, instant } from "#base/time";
import { newSegmentId } from "../new-id.ts";
import { isLater, lastedMs, type Moment, startOf, wallTimeOf } from "./moment.ts";

// What is known of one camera's recording, and how it changes. Nothing here reads a clock or a disk.

/** A stretch that was not recorded, and that core has not been told of. */
export interface Untold {
  readonly id: SegmentId;
  readonly startedAt: Instant;
  readonly endedAt: Instant;
  readonly cause: string;
}

/**
 * How far a camera's footage is stored, and since then: it is `recording`, `beginning` (for the
 * first time, or in a new period), `excused` (nobody expects footage), or a gap is open, of this cause.
 */
export interface Mark {
  readonly until: Moment;
  /** How far a power cut leaves it, where that is less. */
  readonly synced?: Moment | undefined;
  readonly since: string;
  readonly untold: readonly Untold[];
  readonly owed?: Owed | undefined;
  /** It is excused, and what was recorded in this stretch was not all stored by then: it waited for the disk. */
  readonly waiting?: { readonly from: Moment; readonly to: Moment } | undefined;
  /** A period that ended then was seen to be over: it does not begin again where wall time goes back. */
  readonly over?: Instant | undefined;
}

/**
 * An outage over a start of the machine whose end, by wall time, was before its beginning: a clock that was
 * lost, as a rule. It is told when wall time was set right while the machine runs.
 */
interface Owed {
  readonly startedAt: Instant;
  readonly end: Moment;
  readonly cause: string;
}

/** A gap that stays open is told in pieces: what is told survives this machine. */
const PIECE_MS = HOUR_MS;
/** A stream's time is reckoned better as it goes on: so much is no gap between two segments. */
const SAME_MS = 500;
/** Within one stream, whose time does not begin anew: there a single fragment that was dropped is a gap. */
const DROPPED = new Set(["spool-full", "spool-io", "spool-slow"]);
const NO_GAP = new Set(["recording", "beginning", "excused"]);

/**
 * The mark of a camera that footage is expected of from `now` on. One that was recording was left so by a
 * recorder that died.
 */
export function begun(mark: Mark | undefined, now: Moment): Mark {
  if (mark === undefined) return { until: now, since: "beginning", untold: [] };
  if (mark.since === "excused") return { ...mark, until: now, since: "beginning" };
  const left = mark.until.bootId === now.bootId ? mark : upTo(mark, mark.synced ?? mark.until);
  return NO_GAP.has(left.since) ? { ...left, since: "crashed" } : left;
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
  return { ...upTo(ended(mark, startedUp), startedUp), since: cause };
}

/** The camera records, from `from` on. */
export function resumed(mark: Mark, from: Moment): Mark {
  if (mark.since === "recording") return mark;
  const missing = isLater(mark.until, from, DROPPED.has(mark.since) ? 0 : SAME_MS);
  return { ...upTo(missing ? ended(mark, from) : mark, from), since: "recording" };
}

/**
 * What was recorded from `from` to `until` is stored; what is before `from`, and before `synced`, survives a
 * power cut. Of a gap that is open, that is what comes after it; or a piece in its midst, which cuts it in
 * two.
 */
export function stored(mark: Mark, from: Moment, until: Moment, synced = until): Mark {
  if (mark.since === "excused") return waitingFrom(mark, synced);
  if (!isLater(mark.until, until)) return syncedUpTo(mark, synced);
  const missing = gapSince(mark) !== undefined && isLater(mark.until, from, SAME_MS);
  return syncedUpTo({ ...(missing ? ended(mark, from) : mark), until, synced: from }, synced);
}

/** What was recorded from `from` to `to` is lost after all, or is not to be relied on. */
export function lost(mark: Mark, from: Moment, to: Moment, cause: string): Mark {
  // Of the gap that is open.
  if (gapSince(mark) !== undefined && !isLater(from, mark.until)) return mark;
  const missing = gapOf(from, to, cause);
  if (missing === undefined) return mark;
  return isLater(mark.until, to) ? upTo(withGap(mark, missing), to) : withGap(mark, missing);
}

/** Nobody expects footage of it any more, from `now` on. Some of it `waits` for the disk still, perhaps. */
export function excused(mark: Mark, now: Moment, waits = false): Mark {
  if (mark.since === "excused") return mark;
  const from = mark.synced ?? mark.until;
  const waiting = waits && gapSince(mark) === undefined ? { from, to: now } : undefined;
  return { ...upTo(ended(mark, now), now), since: "excused", waiting };
}

/** Nothing waits for the disk any more. */
export function settled(mark: Mark): Mark {
  return mark.waiting ? { ...mark, waiting: undefined } : mark;
}

/** As a recorder that died left it: what waited for the disk then is lost. */
export function takenUp(mark: Mark): Mark {
  const { waiting } = mark;
  return waiting ? settled(withGap(mark, gapOf(waiting.from, waiting.to, "crashed"))) : mark;
}

function waitingFrom(mark: Mark, from: Moment): Mark {
  const { waiting } = mark;
  return waiting && isLater(waiting.from, from) ? { ...mark, waiting: { ...waiting, from } } : mark;
}

/** Nobody allows footage of it any more: its period has ended at `until`. */
export function past(mark: Mark | undefined, until: Instant, now: Moment, waits = false): Mark {
  const idle = mark ? excused(mark, now, waits) : { until: now, since: "excused", untold: [] };
  return idle.over === until ? idle : { ...idle, over: until };
}

/** Whether a period that ends at `until` was seen to be over. */
export function isPast({ over }: Mark, until: Instant): boolean {
  return over !== undefined && over >= until;
}

/** The recorder stops by itself: what is missing until it runs again is nobody's failure. */
export function stopped(mark: Mark, now: Moment): Mark {
  if (mark.since === "excused") return mark;
  if (gapSince(mark) === undefined) return { ...mark, since: "stopped" };
  return { ...upTo(ended(mark, now), now), since: "stopped" };
}

/** Tells of a gap that is open for an hour, and leaves it open. */
export function inPieces(mark: Mark, now: Moment): Mark {
  if (gapSince(mark) === undefined || lastedMs(mark.until, now) < PIECE_MS) return mark;
  return upTo(ended(mark, now), now);
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
export function isOver({ since, untold, over, waiting }: Mark): boolean {
  return since === "excused" && untold.length === 0 && over === undefined && !waiting;
}

function upTo(mark: Mark, until: Moment): Mark {
  return { ...mark, until, synced: undefined };
}

function syncedUpTo(mark: Mark, synced: Moment): Mark {
  if (mark.synced === undefined || !isLater(mark.synced, synced)) return mark;
  return { ...mark, synced: isLater(synced, mark.until) ? synced : undefined };
}

/** With the gap that is open told, up to `end`. */
function ended(mark: Mark, end: Moment): Mark {
  const { until, since, owed } = mark;
  if (gapSince(mark) === undefined) return mark;
  if (until.bootId === end.bootId) return withGap(mark, gapOf(until, end, since));
  // Nothing but wall time tells how long it was. What is owed is a part of it, where that is past now.
  const wasOwed = owed !== undefined && owed.startedAt < end.at;
  const startedAt = wasOwed ? instant(Math.max(owed.startedAt, until.at)) : until.at;
  if (startedAt < end.at)
    return { ...withGap(mark, gap(startedAt, end.at, since)), owed: wasOwed ? undefined : owed };
  const latest = instant(Math.max(owed?.startedAt ?? 0, until.at));
  return { ...mark, owed: { startedAt: latest, end, cause: owed?.cause ?? since } };
}

/** Tells what is owed, if wall time as it goes at `now` puts its end behind its beginning. */
export function paid(mark: Mark, now: Moment): Mark {
  const { owed } = mark;
  if (owed?.end.bootId !== now.bootId) return mark;
  const endedAt = wallTimeOf(owed.end, now);
  if (endedAt <= owed.startedAt) return mark;
  return { ...withGap(mark, gap(owed.startedAt, endedAt, owed.cause)), owed: undefined };
}

function withGap(mark: Mark, one: Untold | undefined): Mark {
  return one ? { ...mark, untold: [...mark.untold, one] } : mark;
}

/** Within one start of the machine; undefined where nothing is missing. */
function gapOf(from: Moment, end: Moment, cause: string): Untold | undefined {
  const startedAt = startOf(from, end);
  return startedAt < end.at ? gap(startedAt, end.at, cause) : undefined;
}

function gap(startedAt: Instant, endedAt: Instant, cause: string): Untold {
  return { id: newSegmentId(startedAt), startedAt, endedAt, cause };
}
