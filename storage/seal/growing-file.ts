import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { isFull } from "#base/disk-errors";
import { syncDirectory } from "#base/durable";
import { step } from "#base/step";
import { type Clock, SECOND_MS } from "#base/time";
import { CHUNK_BYTES, SEALED_CHUNK_BYTES } from "./chunk.ts";
import { HANDED_OVER } from "./handed-over.ts";
import type { Header } from "./header.ts";
import { asError, openOutlet } from "./outlet.ts";
import { openSealer, type Sealed } from "./sealer.ts";
import type { SharedSync } from "./shared-sync.ts";
import type { SpareBuffers } from "./spare-buffers.ts";

/** A sealed file that grows while its footage comes in: there is no source to read it from again. */
export interface GrowingFile {
  /**
   * Seals `plaintext` at once; it is written as soon as what came before it is. After a refused write it
   * waits as well: for `finish`, and where the disk was full that write is tried again. After a refused
   * sync it is dropped.
   */
  push(plaintext: Uint8Array): void;
  /** Sealed bytes in memory that are not written yet. At most one chunk of plaintext is held back besides. */
  readonly waitingBytes: number;
  /** Bytes of plaintext that can be opened again though this process is killed now: the held chunk is not, until the end is sealed. */
  readonly writtenBytes: number;
  /** The same though the machine loses its power now. */
  readonly syncedBytes: number;
  /** What the disk answered when it refused; undefined while it takes everything. */
  readonly fault: Error | undefined;
  /** It refused a write, and no sync, because it is full: what is pushed is kept, and written when there is room. */
  readonly waitsForRoom: boolean;
  /**
   * Seals the rest; resolves once every byte survives a power cut. A write that was refused is tried again
   * when this is asked again; a sync is not, because nobody knows what became of its bytes.
   */
  finish(): Promise<Sealed>;
  /** Writes what can be written of the rest, and lets go of the file. Rejects when it cannot be let go of. */
  close(): Promise<void>;
}

const SYNC_EVERY_MS = 5 * SECOND_MS;
/** A kill loses what is not written yet: every chunk goes as soon as it is sealed. */
const CHUNKS_A_WRITE = 1;

/** Creates the file `path`, which must not exist. It is synced after its first bytes and then every 5 s. */
export async function growFile(
  clock: Clock,
  path: string,
  header: Header,
  shared: SharedSync,
  spare: SpareBuffers,
): Promise<GrowingFile> {
  const file = await open(path, "wx", HANDED_OVER);
  step("record.created");
  const written = (): number => plaintextIn(outlet.writtenBytes - header.prefix.length);
  const syncs = openSyncs(clock, file, dirname(path), shared, written);
  const outlet = openOutlet(clock, file, spare, syncs.wrote);
  const sealer = openSealer(header, outlet.write, CHUNKS_A_WRITE);
  let sealed: Sealed | undefined;
  let durable = false;
  return {
    push(plaintext) {
      if (sealed || syncs.fault) return;
      sealer.push(plaintext);
      outlet.again();
    },
    get waitingBytes() {
      return outlet.waitingBytes;
    },
    get writtenBytes() {
      return sealed && outlet.waitingBytes === 0 ? sealed.plaintextBytes : written();
    },
    get syncedBytes() {
      return syncs.syncedBytes;
    },
    get fault() {
      return syncs.fault ?? outlet.fault;
    },
    get waitsForRoom() {
      return !syncs.fault && isFull(outlet.fault);
    },
    async finish() {
      sealed ??= sealer.finish();
      if (durable) return sealed;
      await outlet.written();
      await syncs.last();
      durable = true;
      await file.close();
      return sealed;
    },
    async close() {
      sealed ??= sealer.finish();
      // What the disk refuses is lost; how far it came is for whoever reads the file to see.
      await outlet.written().catch(() => undefined);
      await syncs.ended();
      await file.close();
    },
  };
}

/** Before the last chunk, which alone is shorter. */
function plaintextIn(sealedBytes: number): number {
  return Math.floor(Math.max(0, sealedBytes) / SEALED_CHUNK_BYTES) * CHUNK_BYTES;
}

interface Syncs {
  /** What `written` said when the last sync that succeeded began. */
  readonly syncedBytes: number;
  readonly fault: Error | undefined;
  /** To be told after each write: syncs when it is time. */
  readonly wrote: () => void;
  /** Resolves when none is under way, and none will be. */
  ended(): Promise<void>;
  /** The one that counts. @throws what this one, or any before it, was answered. */
  last(): Promise<void>;
}

function openSyncs(
  clock: Clock,
  file: FileHandle,
  folder: string,
  shared: SharedSync,
  written: () => number,
): Syncs {
  let fault: Error | undefined;
  let syncedBytes = 0;
  let asked = false;
  let running: Promise<void> | undefined;
  let ending = false;
  let syncedAtMs: number | undefined;

  async function sync(first: boolean): Promise<void> {
    const bytes = written();
    try {
      await file.datasync();
      // There is no second copy of what is in it: its name must survive as well.
      if (first) await syncDirectory(folder);
      if (first) step("record.header-synced");
      syncedBytes = bytes;
    } catch (error) {
      fault ??= asError(error);
    }
  }

  async function ask(first: boolean): Promise<void> {
    await shared.inTurn(async () => {
      // Whoever ends the file syncs it without waiting for this turn.
      if (ending) return;
      running = sync(first);
      await running;
    });
    asked = false;
  }

  return {
    get syncedBytes() {
      return syncedBytes;
    },
    get fault() {
      return fault;
    },
    wrote() {
      const now = clock.uptimeMs();
      if (asked || (syncedAtMs !== undefined && now - syncedAtMs < SYNC_EVERY_MS)) return;
      const first = syncedAtMs === undefined;
      syncedAtMs = now;
      asked = true;
      void ask(first);
    },
    async ended() {
      ending = true;
      await running;
    },
    async last() {
      ending = true;
      await running;
      if (fault !== undefined) throw fault;
      try {
        await file.sync();
      } catch (error) {
        fault = asError(error);
        throw fault;
      }
      step("record.bytes-synced");
    },
  };
}
