import type { FileHandle } from "node:fs/promises";
import { isFull } from "#base/disk-errors";
import type { Clock } from "#base/time";
import type { SpareBuffers } from "./spare-buffers.ts";

/** A file that bytes go into in the order they came, while nobody waits for the disk. */
export interface Outlet {
  /** Copies `bytes`, at most one sealed chunk, and writes them as soon as those before are written. */
  readonly write: (bytes: Uint8Array) => void;
  /** Bytes not yet written. */
  readonly waitingBytes: number;
  /** Bytes that are. */
  readonly writtenBytes: number;
  /** What the disk answered when it refused a write; nothing is written after it until that write is. */
  readonly fault: Error | undefined;
  /** Tries a refused write again, from where it was, if the disk was full, and not a moment ago. Never waits. */
  again(): void;
  /** Resolves once everything is written. After a fault it tries again, from where it was. */
  written(): Promise<void>;
}

/** What was thrown, as the error that it nearly always is. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error("not an error was thrown", { cause: thrown });
}

/** Room may be made at any moment; nobody hurries for a disk that was full just now. */
export const FULL_AGAIN_MS = 250;
/** More than a fragment of any camera; a system call takes 1024. */
const BUFFERS_A_WRITE = 256;

interface Waiting {
  readonly buffer: Buffer;
  readonly bytes: number;
}

/** Writes into `file`, one write at a time: all that came meanwhile. `wrote` is called after each. */
export function openOutlet(
  clock: Clock,
  file: FileHandle,
  spare: SpareBuffers,
  wrote: () => void,
): Outlet {
  const queue: Waiting[] = [];
  let waitingBytes = 0;
  let fault: Error | undefined;
  let faultAtMs = 0;
  let writing: Promise<void> | undefined;
  let position = 0;
  /** Of the first in the queue: a disk may take a part of what it is given. */
  let done = 0;

  async function drain(): Promise<void> {
    try {
      // What a fragment fills comes in one go, and goes in one.
      await Promise.resolve();
      while (queue.length > 0) {
        const { bytesWritten } = await file.writev(nextOf(queue, done), position);
        fault = undefined;
        position += bytesWritten;
        done += bytesWritten;
        settle();
        wrote();
      }
    } catch (error) {
      fault = asError(error);
      faultAtMs = clock.uptimeMs();
    } finally {
      writing = undefined;
    }
  }

  /** Gives back the buffers that are written whole. */
  function settle(): void {
    for (let head = queue[0]; head && done >= head.bytes; head = queue[0]) {
      queue.shift();
      done -= head.bytes;
      waitingBytes -= head.bytes;
      spare.give(head.buffer);
    }
  }

  return {
    write(bytes) {
      const buffer = spare.take();
      buffer.set(bytes);
      queue.push({ buffer, bytes: bytes.length });
      waitingBytes += bytes.length;
      if (fault === undefined) writing ??= drain();
    },
    get waitingBytes() {
      return waitingBytes;
    },
    get writtenBytes() {
      return position;
    },
    get fault() {
      return fault;
    },
    again() {
      const due = isFull(fault) && clock.uptimeMs() - faultAtMs >= FULL_AGAIN_MS;
      if (due) writing ??= drain();
    },
    async written() {
      await writing;
      if (queue.length === 0) return;
      writing ??= drain();
      await writing;
      if (fault !== undefined) throw fault;
    },
  };
}

/** What one write is given, of a queue of whose first so many bytes are written. */
function nextOf(queue: readonly Waiting[], done: number): Buffer[] {
  return queue.slice(0, BUFFERS_A_WRITE).map(({ buffer, bytes }, index) => {
    return buffer.subarray(index === 0 ? done : 0, bytes);
  });
}
