import type { KeyObject } from "node:crypto";
import type { Decrypter } from "age-encryption";
import { BewaardError } from "#base/errors";
import {
  openChunk,
  PAYLOAD_NONCE_BYTES,
  SEALED_CHUNK_BYTES,
  setNonce,
  TAG_BYTES,
} from "./chunk.ts";
import { openHeader } from "./header.ts";

/** Our own headers stay under 2 KiB a recipient; a header that never ends is not read for ever. */
const HEADER_LIMIT_BYTES = 256 * 1024;

/**
 * Opens a whole sealed file (plain age v1) and yields its plaintext. Every chunk is authenticated
 * before it is yielded, but only a normal end says that the file is complete: count nothing before.
 * @throws BewaardError SEAL_NOT_FOR_US, or SEAL_BROKEN at the first byte that is not as sealed.
 */
export async function* openSealed(
  ciphertext: AsyncIterable<Uint8Array>,
  decrypter: Decrypter,
): AsyncGenerator<Buffer, void, undefined> {
  const bytes = reader(ciphertext);
  const header = await readHeader(bytes);
  const nonce = await bytes.take(PAYLOAD_NONCE_BYTES);
  if (nonce.length < PAYLOAD_NONCE_BYTES) throw broken("ends within its nonce");
  const key = await openHeader(header, nonce, decrypter);

  for (let index = 0; ; index += 1) {
    const sealed = await bytes.take(SEALED_CHUNK_BYTES);
    const last = await bytes.atEnd();
    const plaintext = opened(key, index, last, sealed);
    if (last && index > 0 && plaintext.length === 0) throw broken("ends with an empty chunk");
    if (plaintext.length > 0) yield plaintext;
    if (last) return;
  }
}

function opened(key: KeyObject, index: number, last: boolean, sealed: Buffer): Buffer {
  if (sealed.length < TAG_BYTES) throw broken("is cut off");
  const nonce = Buffer.alloc(12);
  setNonce(nonce, index, last);
  try {
    return openChunk(key, nonce, sealed);
  } catch (cause) {
    throw broken(`was altered or cut off in chunk ${index}`, cause);
  }
}

function broken(what: string, cause?: unknown): BewaardError {
  return new BewaardError("SEAL_BROKEN", `the sealed file ${what}`, { cause });
}

async function readHeader(bytes: Reader): Promise<Buffer> {
  let seen = 0;
  for (;;) {
    const grown = await bytes.peekMoreThan(seen);
    const end = headerEnd(grown);
    if (end !== undefined) return bytes.take(end);
    if (grown.length <= seen || grown.length > HEADER_LIMIT_BYTES) {
      throw broken("has no age header");
    }
    seen = grown.length;
  }
}

/** The header ends with the line that starts with `--- `. */
function headerEnd(bytes: Buffer): number | undefined {
  const mac = bytes.indexOf("\n--- ");
  if (mac < 0) return undefined;
  const end = bytes.indexOf("\n", mac + 1);
  return end < 0 ? undefined : end + 1;
}

interface Reader {
  /** The next `count` bytes; fewer only at the end. */
  take(count: number): Promise<Buffer>;
  /** Everything buffered, once it is more than `count` bytes or the end has come. */
  peekMoreThan(count: number): Promise<Buffer>;
  atEnd(): Promise<boolean>;
}

function reader(source: AsyncIterable<Uint8Array>): Reader {
  const chunks = source[Symbol.asyncIterator]();
  let buffered: Buffer = Buffer.alloc(0);
  let ended = false;

  async function fill(count: number): Promise<void> {
    const pieces = [buffered];
    let bytes = buffered.length;
    while (bytes < count && !ended) {
      const next = await chunks.next();
      if (next.done) ended = true;
      else {
        pieces.push(viewOf(next.value));
        bytes += next.value.length;
      }
    }
    if (pieces.length > 1) buffered = Buffer.concat(pieces);
  }

  return {
    async take(count) {
      await fill(count);
      const taken = buffered.subarray(0, count);
      buffered = buffered.subarray(taken.length);
      return taken;
    },
    async peekMoreThan(count) {
      await fill(count + 1);
      return buffered;
    },
    async atEnd() {
      await fill(1);
      return buffered.length === 0;
    },
  };
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
