import { SEALED_CHUNK_BYTES } from "./chunk.ts";

/** Buffers of one sealed chunk, used again: allocating them anew is most of what writing would cost. */
export interface SpareBuffers {
  take(): Buffer;
  give(buffer: Buffer): void;
}

/** Keeps up to `most` buffers for later; more are made when needed, and left to the collector. */
export function openSpareBuffers(most: number): SpareBuffers {
  const spare: Buffer[] = [];
  return {
    take: () => spare.pop() ?? Buffer.allocUnsafeSlow(SEALED_CHUNK_BYTES),
    give(buffer) {
      if (spare.length < most) spare.push(buffer);
    },
  };
}
