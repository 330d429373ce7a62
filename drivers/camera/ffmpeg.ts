import type { Readable } from "node:stream";
import type { BewaardError } from "#base/errors";

/**
 * Who may read a gate: the process of this number, whoever can connect to it at all, or nobody, for want of a process that could
 * be started.
 */
export type Reader = number | "whoever connects" | undefined;

/** ffmpeg at work, by whomever it was started. */
export interface Ffmpeg {
  readonly reader: Reader;
  /** What it makes. */
  readonly output: Readable;
  /** Resolves once it has ended: to why, when that is known and was not well. */
  readonly ended: Promise<BewaardError | undefined>;
  /** Has it end: well if it can, and in any case within some seconds. */
  stop(): Promise<void>;
}

/**
 * Starts ffmpeg with the words of a command line.
 * @throws BewaardError TOOL_MISSING, or MACHINE_BUSY or TOOL_NOT_STARTED (transient), when it cannot be started.
 */
export type StartFfmpeg = (words: readonly string[]) => Promise<Ffmpeg>;
