import { createHash, createSecretKey } from "node:crypto";
import { freeNow } from "#base/free-now";
import { type CiphertextSha256, parseSha256, type Sha256 } from "#base/ids";
import { CHUNK_BYTES, SEALED_CHUNK_BYTES, sealChunk, setNonce } from "./chunk.ts";
import type { Header } from "./header.ts";
import { openPartDigests } from "./part-digests.ts";

/** What sealing found out in its one pass over the bytes. */
export interface Sealed {
  readonly plaintextSha256: Sha256;
  readonly plaintextBytes: number;
  readonly ciphertextBytes: number;
  /** SHA-256 of each 64 MiB part of the sealed file; of the whole file when there is one. */
  readonly parts: readonly CiphertextSha256[];
}

/** Push bytes, get sealed bytes and digests. Synchronous: a worker or the recorder drives it. */
export interface Sealer {
  push(plaintext: Uint8Array): void;
  /** Seals what is left as the last chunk. Nothing may be pushed afterwards. */
  finish(): Sealed;
}

// 1 MiB in and what was held, one write out: flat between 256 KiB and 1 MiB (measured), fewer system
// calls.
const CHUNKS_A_WRITE = 17;

/**
 * Seals a stream into the payload of an age v1 file, hashing plaintext and ciphertext on the way.
 * `write` gets every byte of the file, header first, in a buffer that is used again afterwards:
 * it must have taken the bytes when it returns. At most `chunksAWrite` chunks come at once: many sealers
 * side by side want small buffers.
 */
export function openSealer(
  header: Header,
  write: (ciphertext: Uint8Array) => void,
  chunksAWrite = CHUNKS_A_WRITE,
): Sealer {
  const key = createSecretKey(header.streamKey);
  const nonce = Buffer.alloc(12);
  const plaintextHash = createHash("sha256");
  const parts = openPartDigests();
  // The last chunk carries a flag, so the newest one is held back until more bytes come.
  const held = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  const out = Buffer.allocUnsafeSlow(chunksAWrite * SEALED_CHUNK_BYTES);
  let heldBytes = 0;
  let outBytes = 0;
  let index = 0;
  let plaintextBytes = 0;

  function emit(chunk: Uint8Array, last: boolean): void {
    setNonce(nonce, index, last);
    index += 1;
    outBytes += sealChunk(key, nonce, chunk, out, outBytes);
    if (outBytes + SEALED_CHUNK_BYTES > out.length) flush();
  }

  function flush(): void {
    if (outBytes === 0) return;
    const block = out.subarray(0, outBytes);
    parts.update(block);
    write(block);
    outBytes = 0;
  }

  parts.update(header.prefix);
  write(header.prefix);

  return {
    push(plaintext) {
      plaintextHash.update(plaintext);
      plaintextBytes += plaintext.length;
      let rest = plaintext;
      if (heldBytes > 0) {
        const taken = Math.min(CHUNK_BYTES - heldBytes, rest.length);
        held.set(rest.subarray(0, taken), heldBytes);
        heldBytes += taken;
        rest = rest.subarray(taken);
        if (rest.length === 0) return;
        emit(held, false);
      }
      while (rest.length > CHUNK_BYTES) {
        emit(rest.subarray(0, CHUNK_BYTES), false);
        rest = rest.subarray(CHUNK_BYTES);
      }
      held.set(rest);
      heldBytes = rest.length;
      flush();
    },
    finish() {
      emit(held.subarray(0, heldBytes), true);
      flush();
      // Sixteen cards of small files would leave them behind by the hundred, until somebody collects (bench docks).
      freeNow(held);
      freeNow(out);
      return {
        plaintextSha256: parseSha256(plaintextHash.digest("hex")),
        plaintextBytes,
        ...parts.finish(),
      };
    },
  };
}
