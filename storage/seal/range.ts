import type { KeyObject } from "node:crypto";
import type { Decrypter } from "age-encryption";
import {
  CHUNK_BYTES,
  openChunk,
  PAYLOAD_NONCE_BYTES,
  SEALED_CHUNK_BYTES,
  setNonce,
  TAG_BYTES,
} from "./chunk.ts";
import { openHeader } from "./header.ts";
import { broken, HEADER_LIMIT_BYTES, headerEnd } from "./reader.ts";
import { openEither } from "./salvage.ts";

/** A sealed file that can be read anywhere. */
export interface SealedSource {
  readonly bytes: number;
  /** The bytes [from, to) of it; fewer only past its end. */
  read(from: number, to: number): Promise<Uint8Array>;
}

/** The plaintext of a sealed file, of which only what is asked for is opened. */
export interface PlaintextWindow {
  readonly bytes: number;
  /**
   * The bytes [from, to) of the plaintext, a chunk at a time, each authenticated in its place.
   * @throws BewaardError SEAL_BROKEN at the first chunk that is not as sealed.
   */
  read(from: number, to: number): AsyncGenerator<Buffer, void, undefined>;
}

const FIRST_READ_BYTES = 16 * 1024;

/**
 * Opens the header of `source` for reading windows of its plaintext. Its length says which chunk is the
 * last; of a `cut` file, whose end nobody knows, the plaintext ends with its last chunk that
 * authenticates as it stands there.
 * @throws BewaardError SEAL_NOT_FOR_US, SEAL_BROKEN.
 */
export async function openWindow(
  source: SealedSource,
  cut: boolean,
  decrypter: Decrypter,
): Promise<PlaintextWindow> {
  const prefix = await readPrefix(source);
  const nonce = prefix.subarray(-PAYLOAD_NONCE_BYTES);
  const key = await openHeader(prefix.subarray(0, -PAYLOAD_NONCE_BYTES), nonce, decrypter);
  const payloadBytes = source.bytes - prefix.length;
  const chunks = Math.max(1, Math.ceil(payloadBytes / SEALED_CHUNK_BYTES));
  const sealedAt = async (index: number): Promise<Buffer> => {
    const from = prefix.length + index * SEALED_CHUNK_BYTES;
    return Buffer.from(await source.read(from, from + SEALED_CHUNK_BYTES));
  };
  const bytes = cut
    ? await salvageableBytes(key, chunks, sealedAt)
    : payloadBytes - chunks * TAG_BYTES;
  if (bytes < 0) throw broken("is cut off");

  return {
    bytes,
    async *read(from, to) {
      const end = Math.min(to, bytes);
      if (from >= end) return;
      for (let index = Math.floor(from / CHUNK_BYTES); index * CHUNK_BYTES < end; index += 1) {
        const sealed = await sealedAt(index);
        const plaintext = cut
          ? openEither(key, index, sealed)?.plaintext
          : openAs(key, index, index === chunks - 1, sealed);
        if (!plaintext) throw broken(`was altered or cut off in chunk ${index}`);
        const at = index * CHUNK_BYTES;
        yield plaintext.subarray(Math.max(0, from - at), end - at);
      }
    },
  };
}

async function readPrefix(source: SealedSource): Promise<Buffer> {
  for (let wanted = FIRST_READ_BYTES; ; wanted *= 2) {
    const head = Buffer.from(await source.read(0, wanted));
    const end = headerEnd(head);
    const whole = end === undefined ? undefined : end + PAYLOAD_NONCE_BYTES;
    if (whole !== undefined && whole <= head.length) return head.subarray(0, whole);
    if (head.length < wanted) throw broken("has no age header, or ends within it");
    if (wanted >= HEADER_LIMIT_BYTES) throw broken("has no age header");
  }
}

/** The end of a cut file: at most its last piece is not whole, and then everything before it counts. */
async function salvageableBytes(
  key: KeyObject,
  chunks: number,
  sealedAt: (index: number) => Promise<Buffer>,
): Promise<number> {
  const last = openEither(key, chunks - 1, await sealedAt(chunks - 1));
  return (chunks - 1) * CHUNK_BYTES + (last?.plaintext.length ?? 0);
}

function openAs(key: KeyObject, index: number, last: boolean, sealed: Buffer): Buffer | undefined {
  if (sealed.length < TAG_BYTES) return undefined;
  const nonce = Buffer.alloc(12);
  setNonce(nonce, index, last);
  try {
    return openChunk(key, nonce, sealed);
  } catch (cause) {
    throw broken(`was altered or cut off in chunk ${index}`, cause);
  }
}
