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

/** One run of a stream, from a head and a key picture on, until nothing more of it can be kept waiting. */
interface Run {
  /** What ended it; undefined when the stream did. */
  readonly refused: { readonly fragment: Fragment; readonly why: BewaardError } | undefined;
  /** The last head of the stream. */
  readonly init: Init | undefined;
}

/**
 * Keeps a camera's stream in segments until it ends. It never waits for the disk: what the disk cannot take
 * is dropped, from one key picture to another, and is a gap (invariant 9). What is being handed over when
 * the stream ends is followed by `recorded`.
 * @throws BewaardError CAMERA_STREAM for a stream that cannot be cut; what was recorded of it is kept.
 */
export async function takeStream(
  recorded: Recorded,
  stream: StreamClock,
  pieces: AsyncIterable<Init | Fragment>,
  signal: AbortSignal,
): Promise<void> {
  const source = pieces[Symbol.asyncIterator]();
  let first: (Init | Fragment)[] = [];
  for (;;) {
    const { refused, init } = await takeRun(recorded, stream, source, first, signal);
    if (!refused) return;
    recorded.history.break(causeOf(refused.why) ?? "spool-slow");
    recorded.onDropped(recorded.backlog.waitingBytes(recorded.device), refused.why);
    const again = await dropUntilRoom(recorded, source);
    if (!again) return;
    first = again[0]?.kind === "init" || init === undefined ? again : [init, ...again];
  }
}

async function takeRun(
  recorded: Recorded,
  stream: StreamClock,
  source: AsyncIterator<Init | Fragment>,
  first: readonly (Init | Fragment)[],
  signal: AbortSignal,
): Promise<Run> {
  let segment: RunningSegment | undefined;
  let refused: Run["refused"];
  let init: Init | undefined;

  async function* taken(): AsyncGenerator<Init | Fragment, void, undefined> {
    for await (const piece of rest(first, source)) {
      if (piece.kind === "init") init = piece;
      else {
        const why = refusal(recorded, segment);
        if (why) {
          refused = { fragment: piece, why };
          return;
        }
      }
      yield piece;
    }
  }

  try {
    for await (const one of cut(taken(), recorded.segmentMs, (mediaMs) => stream.at(mediaMs))) {
      if (one.kind === "cut") segment = follow(recorded, stream, segment, one, signal);
      else segment?.take(one);
    }
  } finally {
    if (segment) recorded.follow(segment.close(refused?.fragment.mediaMs));
  }
  return { refused, init };
}

/** The segment before ends where this one begins. */
function follow(
  recorded: Recorded,
  stream: StreamClock,
  before: RunningSegment | undefined,
  begins: Cut,
  signal: AbortSignal,
): RunningSegment {
  if (before) recorded.follow(before.close(begins.mediaMs));
  return startSegment(recorded, stream, begins, signal);
}

function refusal(
  { backlog, device }: Recorded,
  segment: RunningSegment | undefined,
): BewaardError | undefined {
  if (segment?.failed) return segment.failed;
  if (!backlog.isFull(device)) return undefined;
  return new BewaardError("SPOOL_IO", "the spool does not keep up", { transient: true });
}

/** The pieces to go on with, a head among them if one came meanwhile; undefined when the stream ended. */
async function dropUntilRoom(
  { clock, backlog, device }: Recorded,
  source: AsyncIterator<Init | Fragment>,
): Promise<(Init | Fragment)[] | undefined> {
  const sinceMs = clock.uptimeMs();
  let init: Init | undefined;
  for await (const piece of rest([], source)) {
    if (piece.kind === "init") init = piece;
    else if (
      piece.keyframe &&
      backlog.isDrained(device) &&
      clock.uptimeMs() - sinceMs >= TRY_AGAIN_MS
    )
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
