import type { FileHandle } from "node:fs/promises";
import type { SpareBuffers } from "./spare-buffers.ts";

/** A file that bytes go into in the order they came, while nobody waits for the disk. */
export interface Outlet {
  /** Copies `bytes`, at most one sealed chunk, and writes them as soon as those before are written. */
  readonly write: (bytes: Uint8Array) => void;
  /** Bytes not yet written. */
  readonly waitingBytes: number;
  /** Bytes that are. */
  readonly writtenBytes: number;
  /** What the disk answered when it refused a write; nothing is written after it. */
  readonly fault: Error | undefined;
  /** Resolves once everything is written. After a fault it tries again, from where it was. */
  written(): Promise<void>;
}

/** What was thrown, as the error that it nearly always is. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error("not an error was thrown", { cause: thrown });
}

/** More than a fragment of any camera; a system call takes 1024. */
const BUFFERS_A_WRITE = 256;

/** Writes into `file`, one write at a time: all that came meanwhile. `wrote` is called after each. */
export function openOutlet(file: FileHandle, spare: SpareBuffers, wrote: () => void): Outlet {
  const queue: { readonly buffer: Buffer; readonly bytes: number }[] = [];
  let waitingBytes = 0;
  let fault: Error | undefined;
  let writing: Promise<void> | undefined;
  let position = 0;
  /** Of the first in the queue: a disk may take a part of what it is given. */
  let done = 0;

  async function drain(): Promise<void> {
    try {
      // What a fragment fills comes in one go, and goes in one.
      await Promise.resolve();
      while (queue.length > 0) {
        const views = queue.slice(0, BUFFERS_A_WRITE).map(({ buffer, bytes }, index) => {
          return buffer.subarray(index === 0 ? done : 0, bytes);
        });
        const { bytesWritten } = await file.writev(views, position);
        position += bytesWritten;
        done += bytesWritten;
        settle();
        wrote();
      }
    } catch (error) {
      fault = asError(error);
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

  function orThrow(): void {
    if (fault !== undefined) throw fault;
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
    async written() {
      await writing;
      if (queue.length === 0) return;
      fault = undefined;
      writing = drain();
      await writing;
      orThrow();
    },
  };
}
