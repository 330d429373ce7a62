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
import { broken, reader, readHeader } from "./reader.ts";

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
