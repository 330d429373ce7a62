import type { KeyObject } from "node:crypto";
import type { Decrypter } from "age-encryption";
import {
  openChunk,
  PAYLOAD_NONCE_BYTES,
  SEALED_CHUNK_BYTES,
  setNonce,
  TAG_BYTES,
} from "./chunk.ts";
import { openHeader } from "./header.ts";
import { broken, type Reader, reader, readHeader } from "./reader.ts";

/** How far a damaged sealed file could be opened. */
export interface Salvaged {
  /** Chunks that authenticated. */
  readonly chunks: number;
  /**
   * True when the last chunk said that it is the last and nothing follows it. A cut exactly between two
   * chunks looks like a file that should go on: false, though no byte is lost.
   */
  readonly complete: boolean;
  /** Bytes of the sealed file behind the last chunk that authenticated. */
  readonly lostBytes: number;
}

/**
 * Opens as much as can be of a sealed file that was cut or damaged: yields each chunk that authenticates
 * in its place, up to the first that does not, and returns what became of the rest. Everything that is
 * yielded is what was sealed.
 * @throws BewaardError SEAL_NOT_FOR_US, or SEAL_BROKEN when not even the header is whole.
 */
export async function* salvageSealed(
  ciphertext: AsyncIterable<Uint8Array>,
  decrypter: Decrypter,
): AsyncGenerator<Buffer, Salvaged, undefined> {
  const bytes = reader(ciphertext);
  const header = await readHeader(bytes);
  const nonce = await bytes.take(PAYLOAD_NONCE_BYTES);
  if (nonce.length < PAYLOAD_NONCE_BYTES) throw broken("ends within its nonce");
  const key = await openHeader(header, nonce, decrypter);

  for (let chunks = 0; ; chunks += 1) {
    const sealed = await bytes.take(SEALED_CHUNK_BYTES);
    const chunk = openEither(key, chunks, sealed);
    const empty = chunk?.plaintext.length === 0 && chunks > 0;
    if (!chunk || empty) {
      return { chunks, complete: false, lostBytes: sealed.length + (await countRest(bytes)) };
    }
    if (chunk.plaintext.length > 0) yield chunk.plaintext;
    if (chunk.last) {
      const lostBytes = await countRest(bytes);
      return { chunks: chunks + 1, complete: lostBytes === 0, lostBytes };
    }
  }
}

/** A chunk as one of many or as the last one, whichever it authenticates as; undefined for neither. */
export function openEither(
  key: KeyObject,
  index: number,
  sealed: Buffer,
): { readonly plaintext: Buffer; readonly last: boolean } | undefined {
  if (sealed.length < TAG_BYTES) return undefined;
  const nonce = Buffer.alloc(12);
  // Only a whole chunk can have others behind it.
  for (const last of sealed.length === SEALED_CHUNK_BYTES ? [false, true] : [true]) {
    setNonce(nonce, index, last);
    try {
      return { plaintext: openChunk(key, nonce, sealed), last };
    } catch {
      // Not as this one. What it is then is the caller's to say.
    }
  }
  return undefined;
}

async function countRest(bytes: Reader): Promise<number> {
  let count = 0;
  for (;;) {
    const taken = await bytes.take(SEALED_CHUNK_BYTES);
    if (taken.length === 0) return count;
    count += taken.length;
  }
}
