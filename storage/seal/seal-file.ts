import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readSync,
  rmSync,
  type Stats,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { diskError } from "#base/disk-errors";
import { BewaardError, systemCode } from "#base/errors";
import { freeNow } from "#base/free-now";
import { step } from "#base/step";
import { systemClock } from "#base/system-clock";
import { HANDED_OVER } from "./handed-over.ts";
import type { Header } from "./header.ts";
import { openSealer, type Sealed, type Sealer } from "./sealer.ts";

export interface SealFileJob {
  /** Path of the camera's file as bytes: names on a card need not be UTF-8. */
  readonly source: Uint8Array;
  /** Final path of the sealed file; `<target>.partial` while it is being written. */
  readonly target: string;
  readonly header: Header;
  /** Set to 1 by the owner to stop between two blocks. */
  readonly stop: Int32Array;
  /** How many blocks were read so far, for the owner to look at. */
  readonly blocks: Int32Array;
}

export const BLOCK_BYTES = 1024 * 1024;
const SYNC_EVERY_MS = 5000;

/** What was read and sealed. */
export interface SealedFile extends Sealed {
  /** The file changed while it was read: this is one read of it, and there may be no other like it. */
  readonly sourceChanged: boolean;
  /** Of the source, in ms since 1970, as it was opened. */
  readonly sourceModifiedMs: number;
}

/**
 * Hashes and encrypts one file; the target's name appears only once all that was read survives a power
 * cut (invariant 1). Blocks its thread. A failed copy leaves nothing behind: its source is still there.
 * @throws BewaardError CARD_READ, SOURCE_IRREGULAR or SPOOL_FULL.
 */
export function sealFile(job: SealFileJob): SealedFile {
  const partial = `${job.target}.partial`;
  const source = openSource(job.source);
  let named = false;
  try {
    const before = regular(source);
    const sealed = writeSealed(source, partial, job);
    const sourceChanged = changed(before, fstatSync(source), sealed.plaintextBytes);
    // Not rename: an id that came twice must never replace footage.
    linkSync(partial, job.target);
    named = true;
    step("seal.named");
    unlinkSync(partial);
    syncDirectory(dirname(job.target));
    step("seal.durable");
    return { ...sealed, sourceChanged, sourceModifiedMs: before.mtimeMs };
  } catch (error) {
    rmSync(partial, { force: true });
    // No manifest will ever speak of it.
    if (named) rmSync(job.target, { force: true });
    throw diskError(error, "sealing");
  } finally {
    closeSync(source);
  }
}

function openSource(path: Uint8Array): number {
  try {
    // O_NONBLOCK: a FIFO on a hostile card must not hang us. O_NOFOLLOW: nor a link lead us away.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    return openSync(Buffer.from(path), flags);
  } catch (cause) {
    if (systemCode(cause) === "ELOOP" || systemCode(cause) === "ENXIO") {
      throw new BewaardError("SOURCE_IRREGULAR", "not a regular file", { cause });
    }
    throw new BewaardError("CARD_READ", `cannot be opened (${systemCode(cause)})`, {
      cause,
      transient: true,
    });
  }
}

function regular(source: number): Stats {
  const stats = fstatSync(source);
  if (!stats.isFile()) throw new BewaardError("SOURCE_IRREGULAR", "not a regular file");
  return stats;
}

function changed(before: Stats, after: Stats, readBytes: number): boolean {
  return before.size !== readBytes || after.size !== readBytes || after.mtimeMs !== before.mtimeMs;
}

function writeSealed(source: number, partial: string, job: SealFileJob): Sealed {
  const target = openSync(partial, "wx", HANDED_OVER);
  try {
    step("seal.created");
    const sealer = openSealer(job.header, (ciphertext) => writeAll(target, ciphertext));
    fdatasyncSync(target);
    step("seal.header-synced");
    pour(source, sealer, target, job);
    const sealed = sealer.finish();
    step("seal.bytes-written");
    fsyncSync(target);
    step("seal.bytes-synced");
    return sealed;
  } finally {
    closeSync(target);
  }
}

function pour(
  source: number,
  sealer: Sealer,
  target: number,
  { stop, blocks }: Pick<SealFileJob, "stop" | "blocks">,
): void {
  const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  let syncedAtMs = systemClock.uptimeMs();
  try {
    for (;;) {
      if (Atomics.load(stop, 0) === 1) throw new DOMException("sealing was stopped", "AbortError");
      const bytes = read(source, block);
      if (bytes === 0) return;
      sealer.push(block.subarray(0, bytes));
      Atomics.add(blocks, 0, 1);
      if (systemClock.uptimeMs() - syncedAtMs >= SYNC_EVERY_MS) {
        fdatasyncSync(target);
        syncedAtMs = systemClock.uptimeMs();
      }
    }
  } finally {
    freeNow(block);
  }
}

function read(source: number, block: Buffer): number {
  try {
    return readSync(source, block, 0, block.length, null);
  } catch (cause) {
    const code = systemCode(cause);
    throw new BewaardError("CARD_READ", `the card stopped answering (${code})`, {
      cause,
      transient: true,
    });
  }
}

function writeAll(target: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) written += writeSync(target, bytes, written);
}

function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
