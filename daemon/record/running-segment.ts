import { isFull } from "#base/disk-errors";
import { BewaardError } from "#base/errors";
import { type Instant, instant, SECOND_MS } from "#base/time";
import type { Cut, Piece } from "../../drivers/camera/cutter.ts";
import type { Damaged } from "../../drivers/camera/damage.ts";
import type { StreamClock } from "../../drivers/camera/stream-clock.ts";
import type { SegmentHistory } from "./camera-history.ts";
import { causeOf, PACKETS_LOST } from "./causes.ts";
import { openProgress } from "./progress.ts";
import type { Recorded } from "./recorded.ts";
import { openSegment, type SegmentWriter } from "./segment-writer.ts";

/** A segment of a camera while its pictures come. */
export interface RunningSegment {
  /** Why nothing more of it reaches the disk. */
  readonly failed: BewaardError | undefined;
  /** It only waits for room on a full disk, in memory: more may be taken. */
  readonly waitsForRoom: boolean;
  take(piece: Piece): void;
  /**
   * Hands it over, up to the moment `endMs` of the stream, or up to its last picture. Does not throw for
   * what a disk does: what is lost then becomes a gap.
   */
  close(endMs?: number): Promise<void>;
}

/** A disk that is full may have room again soon. */
const CLOSE_AGAIN_MS = SECOND_MS;
const CLOSE_TRIES = 30;
/** ffmpeg looks at a stream for a while before it passes on what came: its first fragments are late. */
const KNOWN_AFTER_MS = 5 * SECOND_MS;

/** Begins the segment that `cut` says. */
export function startSegment(recorded: Recorded, stream: StreamClock, cut: Cut): RunningSegment {
  const { sealing, device, history, backlog } = recorded;
  const writer = openSegment(sealing, device, stream.at(cut.mediaMs));
  const done = backlog.add(device, writer);
  const ours = history.segment(note);
  const progress = openProgress(writer, cut.mediaMs);
  let pushedBytes = 0;
  let endMs = cut.mediaMs;
  let known = false;
  let closing = false;
  push(cut.init);

  function push(bytes: Uint8Array): void {
    pushedBytes += bytes.length;
    writer.push(bytes);
  }

  /** The longer a stream lasts the better its time is reckoned; and a clock may be set meanwhile. */
  const startedAt = (): Instant => stream.at(cut.mediaMs);

  function note(): void {
    if (!progress.look()) return;
    const { writtenMs, syncedMs } = progress;
    const times = [startedAt(), stream.at(writtenMs), stream.at(syncedMs)] as const;
    if (closing) return ours.kept(...times);
    recorded.onWritten();
    ours.written(...times);
  }

  async function close(until: number): Promise<void> {
    closing = true;
    const { offsetMs } = stream.camera;
    const times = { startedAt: startedAt(), endedAt: stream.at(until), offsetMs };
    const damaged = recorded.damaged(cut.mediaMs, until);
    let keptUntil = times.endedAt;
    try {
      await closeInTime(recorded, () => writer.close(times), writer);
      ours.kept(times.startedAt, times.endedAt, times.endedAt);
    } catch (error) {
      const cause = error instanceof BewaardError ? causeOf(error) : undefined;
      if (!(error instanceof BewaardError) || cause === undefined) throw error;
      recorded.onUnkept(error);
      writer.began(times.startedAt);
      const kept = await writer.abandon();
      // It was tried once more.
      progress.look();
      keptUntil = kept ? stream.at(progress.writtenMs) : times.startedAt;
      if (keptUntil < times.endedAt) ours.lose(keptUntil, times.endedAt, cause);
    } finally {
      done();
      if (damaged) tellDamage(recorded, ours, stream, damaged, times.startedAt, keptUntil);
      ours.end();
    }
  }

  return {
    get failed() {
      return writer.failed;
    },
    get waitsForRoom() {
      return writer.waitsForRoom;
    },
    take({ bytes, fragment }) {
      for (const one of bytes) push(one);
      // What a crash cuts off later began then.
      if (!known && endMs - cut.mediaMs >= KNOWN_AFTER_MS) {
        known = true;
        writer.began(startedAt());
      }
      endMs = Math.max(endMs, fragment.mediaMs + fragment.durationMs);
      progress.pushed(pushedBytes, endMs);
      note();
      if (writer.waitsForRoom) recorded.onFull();
    },
    close: (until = endMs) => close(until),
  };
}

/** Of what is kept: what is lost altogether is told as that. */
function tellDamage(
  recorded: Recorded,
  history: SegmentHistory,
  stream: StreamClock,
  { fromMs, untilMs, packets }: Damaged,
  startedAt: Instant,
  keptUntil: Instant,
): void {
  const from = Math.max(stream.at(fromMs), startedAt);
  const until = Math.min(stream.at(untilMs), keptUntil);
  if (from >= until) return;
  history.lose(instant(from), instant(until), PACKETS_LOST);
  recorded.onDamaged(packets);
}

/** Waits for room as long as there is memory to do so, and then a while longer. */
async function closeInTime(
  recorded: Recorded,
  close: () => Promise<unknown>,
  writer: Pick<SegmentWriter, "failed" | "waitsForRoom">,
): Promise<void> {
  const { clock, device, backlog, stopping } = recorded;
  for (let left = CLOSE_TRIES; ; ) {
    try {
      await close();
      return;
    } catch (error) {
      if (!(error instanceof BewaardError && error.transient)) throw error;
      if ((writer.failed && !writer.waitsForRoom) || left <= 1 || stopping.aborted) throw error;
      const full = isFull(error);
      if (full) recorded.onFull();
      if (!full || backlog.isFull(device)) left -= 1;
      await clock.sleep(CLOSE_AGAIN_MS, stopping).catch(() => undefined);
    }
  }
}
