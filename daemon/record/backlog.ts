import type { DeviceId } from "#base/ids";

/** What a segment on its way to the disk tells of itself. */
interface Waiting {
  readonly waitingBytes: number;
}

/** What waits in memory for the disk, of all cameras together: more than so much is not kept waiting. */
export interface Backlog {
  /** Counts `segment` until the function it gives is called. */
  add(device: DeviceId, segment: Waiting): () => void;
  waitingBytes(device: DeviceId): number;
  /** Whether nothing more of this camera may be kept waiting: whole groups of pictures are dropped. */
  isFull(device: DeviceId): boolean;
  /** Whether its pictures may be taken again: all of it that waited is on the disk. */
  isDrained(device: DeviceId): boolean;
}

const MB = 1024 * 1024;
/** Sixteen seconds of a camera of 4 Mbit/s. */
const CAMERA_LIMIT_BYTES = 8 * MB;
const LIMIT_BYTES = 96 * MB;

/** Memory is bounded, and a pipe is never blocked: a camera would hang up (invariant 9). */
export function openBacklog(): Backlog {
  const all = new Map<Waiting, DeviceId>();
  const sum = (counts: (device: DeviceId) => boolean): number => {
    let bytes = 0;
    for (const [segment, device] of all) if (counts(device)) bytes += segment.waitingBytes;
    return bytes;
  };
  const of = (device: DeviceId): number => sum((one) => one === device);
  return {
    add(device, segment) {
      all.set(segment, device);
      return () => void all.delete(segment);
    },
    waitingBytes: of,
    isFull(device) {
      const bytes = of(device);
      // One of which nothing waits adds no more than a fragment; most are such, and need no sum over all.
      return bytes > CAMERA_LIMIT_BYTES || (bytes > 0 && sum(() => true) > LIMIT_BYTES);
    },
    isDrained: (device) => of(device) === 0 && sum(() => true) < LIMIT_BYTES,
  };
}
