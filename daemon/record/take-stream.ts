import { BewaardError } from "#base/errors";
import { SECOND_MS } from "#base/time";
import { type Cut, cut } from "../../drivers/camera/cutter.ts";
import type { Fragment } from "../../drivers/camera/fragments.ts";
import type { Init } from "../../drivers/camera/init.ts";
import type { StreamClock } from "../../drivers/camera/stream-clock.ts";
import { causeOf } from "./causes.ts";
import type { Recorded } from "./recorded.ts";
import { type RunningSegment, startSegment } from "./running-segment.ts";

/** What a disk refuses now it is not asked for again at once. */
const TRY_AGAIN_MS = 5 * SECOND_MS;

/** Why nothing more of a stream is taken for now. */
interface Refusal {
  readonly why: BewaardError;
  readonly cause: string;
  /** How long at least. */
  readonly forMs: number;
}

/** One run of a stream, from a head and a key picture on, until nothing more of it can be kept waiting. */
interface Run {
  /** What ended it, and where; undefined when the stream did. */
  readonly refused: (Refusal & { readonly atMs: number }) | undefined;
  /** The last head of the stream. */
  readonly init: Init | undefined;
}

/**
 * Keeps a camera's stream in segments until it ends. It never waits for the disk: what the disk does not take
 * yet waits in memory, and what it cannot take is dropped, from one key picture to another, and is a gap
 * (invariant 9). Of a covert camera it ends with the last fragment that lies in its period whole (AR-40).
 * What is being handed over when the stream ends is followed by `recorded`.
 * @throws BewaardError CAMERA_STREAM for a stream that cannot be cut; what was recorded of it is kept.
 */
export async function takeStream(
  recorded: Recorded,
  stream: StreamClock,
  pieces: AsyncIterable<Init | Fragment>,
): Promise<void> {
  const source = pieces[Symbol.asyncIterator]();
  let first: (Init | Fragment)[] = [];
  for (;;) {
    const { refused, init } = await takeRun(recorded, stream, source, first);
    if (!refused) return;
    recorded.history.break(refused.cause);
    recorded.onDropped(recorded.backlog.waitingBytes(recorded.device), refused.why);
    const again = await dropUntilRoom(recorded, source, refused.forMs);
    if (!again) return;
    first = again[0]?.kind === "init" || init === undefined ? again : [init, ...again];
  }
}

async function takeRun(
  recorded: Recorded,
  stream: StreamClock,
  source: AsyncIterator<Init | Fragment>,
  first: readonly (Init | Fragment)[],
): Promise<Run> {
  let segment: RunningSegment | undefined;
  let refused: Run["refused"];
  let init: Init | undefined;

  async function* taken(): AsyncGenerator<Init | Fragment, void, undefined> {
    for await (const piece of rest(first, source)) {
      if (piece.kind === "init") init = piece;
      else {
        if (isPast(recorded, stream, piece)) return;
        const refusal = refusalOf(recorded, segment);
        if (refusal) {
          refused = { ...refusal, atMs: piece.mediaMs };
          return;
        }
      }
      yield piece;
    }
  }

  try {
    for await (const one of cut(taken(), recorded.segmentMs, (mediaMs) => stream.at(mediaMs))) {
      if (one.kind === "cut") segment = follow(recorded, stream, segment, one);
      else segment?.take(one);
    }
  } finally {
    if (segment) recorded.follow(segment.close(refused?.atMs));
  }
  return { refused, init };
}

/** Whether some of `fragment` lies behind the moment until which anybody allowed it. */
function isPast({ until }: Recorded, { at }: StreamClock, fragment: Fragment): boolean {
  return until !== undefined && at(fragment.mediaMs + fragment.durationMs) > until;
}

/** The segment before ends where this one begins. */
function follow(
  recorded: Recorded,
  stream: StreamClock,
  before: RunningSegment | undefined,
  begins: Cut,
): RunningSegment {
  if (before) recorded.follow(before.close(begins.mediaMs));
  return startSegment(recorded, stream, begins);
}

function refusalOf(
  { backlog, device }: Recorded,
  segment: RunningSegment | undefined,
): Refusal | undefined {
  const full = backlog.isFull(device);
  const why = segment?.failed;
  // A disk that is full has room again in a moment, where there is anything to overwrite. What waits asks for it.
  const waits = segment?.waitsForRoom ?? false;
  if (why && (full || !waits))
    return { why, cause: causeOf(why) ?? "spool-io", forMs: waits ? 0 : TRY_AGAIN_MS };
  if (!full) return undefined;
  const slow = new BewaardError("SPOOL_IO", "the spool does not keep up", { transient: true });
  return { why: slow, cause: "spool-slow", forMs: 0 };
}

/** The pieces to go on with, a head among them if one came meanwhile; undefined when the stream ended. */
async function dropUntilRoom(
  { clock, backlog, device }: Recorded,
  source: AsyncIterator<Init | Fragment>,
  forMs: number,
): Promise<(Init | Fragment)[] | undefined> {
  const sinceMs = clock.uptimeMs();
  let init: Init | undefined;
  for await (const piece of rest([], source)) {
    if (piece.kind === "init") init = piece;
    else if (piece.keyframe && backlog.isDrained(device) && clock.uptimeMs() - sinceMs >= forMs)
      return init ? [init, piece] : [piece];
  }
  return undefined;
}

/** Goes on with `source` after `first`. Leaves `source` open when it is left. */
async function* rest<T>(
  first: readonly T[],
  source: AsyncIterator<T>,
): AsyncGenerator<T, void, undefined> {
  yield* first;
  for (;;) {
    const next = await source.next();
    if (next.done === true) return;
    yield next.value;
  }
}
