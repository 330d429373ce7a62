import type { SegmentWriter } from "./segment-writer.ts";

/** How far a segment is on the disk, in ms of its stream. */
export interface Progress {
  /** Up to here a kill leaves it, and up to there a power cut. */
  readonly writtenMs: number;
  readonly syncedMs: number;
  /** The fragment that ends at `endMs` is pushed, with the first `bytes` of the segment. */
  pushed(bytes: number, endMs: number): void;
  /** Looks how far it is; false where it is no further than before, or has failed for good. */
  look(): boolean;
}

/** Of a segment that begins at `startMs` of its stream. */
export function openProgress(
  writer: Pick<
    SegmentWriter,
    "waitingBytes" | "writtenBytes" | "syncedBytes" | "failed" | "waitsForRoom"
  >,
  startMs: number,
): Progress {
  /** Of fragments that are not known to survive a power cut. */
  const ends: { readonly bytes: number; readonly endMs: number }[] = [];
  let pushedBytes = 0;
  let writtenMs = startMs;
  let syncedMs = startMs;
  /** The disk has taken a fragment of it: of a camera that sends little nothing is written for long. */
  let begun = false;
  return {
    get writtenMs() {
      return writtenMs;
    },
    get syncedMs() {
      return syncedMs;
    },
    pushed(bytes, endMs) {
      pushedBytes = bytes;
      ends.push({ bytes, endMs });
    },
    look() {
      if (writer.failed && !writer.waitsForRoom) return false;
      const before = [begun, writtenMs, syncedMs].join();
      const { writtenBytes, syncedBytes } = writer;
      begun ||= (ends[0]?.bytes ?? Infinity) <= pushedBytes - writer.waitingBytes;
      writtenMs = ends.findLast(({ bytes }) => bytes <= writtenBytes)?.endMs ?? writtenMs;
      for (let [first] = ends; first && first.bytes <= syncedBytes; [first] = ends) {
        syncedMs = first.endMs;
        ends.shift();
      }
      return [begun, writtenMs, syncedMs].join() !== before;
    },
  };
}
