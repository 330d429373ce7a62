import { BewaardError } from "#base/errors";

/** Our own headers stay under 2 KiB a recipient; a header that never ends is not read for ever. */
export const HEADER_LIMIT_BYTES = 256 * 1024;

/** The age header, nonce not included. @throws BewaardError SEAL_BROKEN when there is none. */
export async function readHeader(bytes: Reader): Promise<Buffer> {
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

/** Where the header ends: behind the line that starts with `--- `. Undefined when that is not here. */
export function headerEnd(bytes: Buffer): number | undefined {
  const mac = bytes.indexOf("\n--- ");
  if (mac < 0) return undefined;
  const end = bytes.indexOf("\n", mac + 1);
  return end < 0 ? undefined : end + 1;
}

/** Bytes of a stream, taken in pieces of one's own choice. */
export interface Reader {
  /** The next `count` bytes; fewer only at the end. */
  take(count: number): Promise<Buffer>;
  /** Everything buffered, once it is more than `count` bytes or the end has come. */
  peekMoreThan(count: number): Promise<Buffer>;
  atEnd(): Promise<boolean>;
}

export function reader(source: AsyncIterable<Uint8Array>): Reader {
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

export function broken(what: string, cause?: unknown): BewaardError {
  return new BewaardError("SEAL_BROKEN", `the sealed file ${what}`, { cause });
}
