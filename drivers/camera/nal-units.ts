import type { Sample } from "./moof.ts";

/** A NAL unit within a fragment: where it starts behind its length, and how long it says it is. */
export interface NalUnit {
  readonly at: number;
  readonly size: number;
  readonly first: number;
}

/** Cameras put some ten in a picture; a stream of empty ones must not keep us busy. */
const MOST_IN_A_SAMPLE = 512;

/** The bytes from `at` on within `pieces`, at most `count`: a view where they lie in one piece. */
export function bytesAt(pieces: readonly Buffer[], at: number, count: number): Buffer {
  const found: Buffer[] = [];
  let [from, left] = [at, count];
  for (const piece of pieces) {
    if (left <= 0) break;
    if (from < piece.length) {
      const part = piece.subarray(from, from + left);
      found.push(part);
      left -= part.length;
    }
    from = Math.max(0, from - piece.length);
  }
  const [only] = found;
  return found.length === 1 && only ? only : Buffer.concat(found);
}

/** The NAL units of one sample, as far as they are whole; `pieces` start with the moof. */
export function* nalUnitsOf(
  pieces: readonly Buffer[],
  sample: Sample,
  lengthBytes: number,
): Generator<NalUnit, void, undefined> {
  const end = sample.at + sample.size;
  let at = sample.at;
  for (let count = 0; count < MOST_IN_A_SAMPLE && at + lengthBytes < end; count += 1) {
    const head = bytesAt(pieces, at, lengthBytes + 1);
    if (head.length <= lengthBytes) return;
    const size = head.readUIntBE(0, lengthBytes);
    at += lengthBytes;
    if (size === 0 || at + size > end) return;
    yield { at, size, first: head.readUInt8(lengthBytes) };
    at += size;
  }
}

/** Without the 3 that keeps two zeros from looking like the start of a unit (H.264 §7.4.1). */
export function unescaped(bytes: Buffer): Buffer {
  const plain = Buffer.alloc(bytes.length);
  let [length, zeros] = [0, 0];
  for (const byte of bytes) {
    const escape = zeros >= 2 && byte === 3;
    zeros = byte === 0 ? zeros + 1 : 0;
    if (!escape) length = plain.writeUInt8(byte, length);
  }
  return plain.subarray(0, length);
}
