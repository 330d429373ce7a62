import type { Instant } from "#base/time";
import { untakeable } from "./boxes.ts";
import { type Fragment, shownMs } from "./fragments.ts";
import type { Init } from "./init.ts";
import { rebased } from "./rebase.ts";

/** Why a segment begins: the stream does, its slot of wall time does, or its pictures are of another kind. */
type Why = "start" | "time" | "parameters";

/** A new segment begins, with this head. */
export interface Cut {
  readonly kind: "cut";
  readonly init: Buffer;
  /** Where in the stream the segment's time 0 lies. */
  readonly mediaMs: number;
  readonly why: Why;
  /** Fragments since the segment before that nothing could be made of, because no keyframe had come. */
  readonly dropped: number;
}

/** A fragment of the segment that began last. */
export interface Piece {
  readonly kind: "fragment";
  /** As it is stored: time counted from the segment's start. */
  readonly bytes: readonly Buffer[];
  /** As it arrived. */
  readonly fragment: Fragment;
}

interface Segment {
  /** Where in the stream its first picture is shown, or its sound begins. */
  readonly startMs: number;
  /** By how much its first picture is shown later than it is decoded. */
  readonly laterTicks: number;
  readonly cutAt: Instant;
  readonly parameters: string;
}

/** A later, better reckoning of when a segment began moves it by less than this, or it is another time. */
const SAME_TIME_MS = 500;
/** Parameters that change faster make no segments: a camera may not fill the spool with them. */
const SHORTEST_MS = 500;
/** Sound may start before its picture; beyond this it belongs to no picture here. */
const MOST_BEFORE_PICTURE_MS = 1000;
/** How often a segment's length may pass without a keyframe: cams §2.3. */
const MOST_SLOTS = 3;

/**
 * Cuts a stream into segments that each play alone: at the first keyframe of each slot of `segmentMs` wall
 * time, counted from 1970, and where the parameters change. Every fragment from the first keyframe on is in
 * exactly one of them. `at` tells when a moment of the stream was.
 * @throws BewaardError CAMERA_STREAM when three slots pass without a keyframe to cut at.
 */
export async function* cut(
  pieces: AsyncIterable<Init | Fragment>,
  segmentMs: number,
  at: (mediaMs: number) => Instant,
): AsyncGenerator<Cut | Piece, void, undefined> {
  let init: Init | undefined;
  let segment: Segment | undefined;
  /** A head in the middle of a stream: what follows is not of the segment before. */
  let anew: Why = "start";
  let waitingSinceMs: number | undefined;
  let dropped = 0;
  for await (const piece of pieces) {
    if (piece.kind === "init") {
      // What goes on is cut where its fragments say so.
      if (!piece.goesOn) [anew, segment] = [init ? "parameters" : "start", undefined];
      init = piece;
      continue;
    }
    const why = segment ? reasonToCut(piece, segment, segmentMs, at) : anew;
    if (init && why && piece.keyframe) {
      segment = begun(piece, at);
      waitingSinceMs = undefined;
      yield { kind: "cut", init: init.bytes, mediaMs: segment.startMs, why, dropped };
      dropped = 0;
    } else {
      waitingSinceMs = segment?.startMs ?? waitingSinceMs ?? piece.mediaMs;
      const waitedMs = piece.mediaMs + piece.durationMs - waitingSinceMs;
      if (waitedMs >= MOST_SLOTS * segmentMs) throw untakeable("no key picture");
    }
    if (segment) {
      const bytes = rebased(piece, segment.startMs, segment.laterTicks);
      yield { kind: "fragment", bytes, fragment: piece };
    } else dropped += 1;
  }
}

function reasonToCut(
  fragment: Fragment,
  segment: Segment,
  segmentMs: number,
  at: (mediaMs: number) => Instant,
): Why | undefined {
  if (!fragment.keyframe) return undefined;
  const now = at(segment.startMs);
  const start = Math.abs(now - segment.cutAt) < SAME_TIME_MS ? segment.cutAt : now;
  const slotOf = (when: Instant): number => Math.floor(when / segmentMs);
  if (slotOf(at(fragment.mediaMs)) > slotOf(start)) return "time";
  const changed = fragment.parameters !== segment.parameters;
  return changed && fragment.mediaMs - segment.startMs >= SHORTEST_MS ? "parameters" : undefined;
}

function begun(fragment: Fragment, at: (mediaMs: number) => Instant): Segment {
  const picture = fragment.runs.find((run) => run.track.kind === "video");
  const laterTicks = picture?.samples[0]?.laterTicks ?? 0;
  const pictureMs = picture ? shownMs(picture) : fragment.mediaMs;
  const earliestMs = Math.min(pictureMs, ...fragment.runs.map(shownMs));
  return {
    startMs: pictureMs - earliestMs > MOST_BEFORE_PICTURE_MS ? pictureMs : earliestMs,
    laterTicks,
    cutAt: at(fragment.mediaMs),
    parameters: fragment.parameters,
  };
}
