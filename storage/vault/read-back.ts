import { randomInt } from "node:crypto";
import { BewaardError } from "#base/errors";
import { agrees } from "./body.ts";
import type { ByteRange, ObjectBody, Vault } from "./vault.ts";

/** How much is read back of what was stored, by policy. */
export type ReadBack = "sampled" | "whole";

const RANGE_BYTES = 64 * 1024;
/** Of each object: a vault that lost or mixed up a part of it is found out soon, over many objects surely. */
const RANGES = 8;

/**
 * Reads `body` back from the vault and compares (invariant 1): the whole of it by its digests, or random
 * ranges, its first and its last with the bytes here. Nothing counts as stored before this.
 * @throws BewaardError VAULT_CORRUPT when the vault gives other bytes, or fewer.
 */
export async function readBack(
  vault: Vault,
  key: string,
  versionId: string,
  body: ObjectBody,
  how: ReadBack,
  signal: AbortSignal,
): Promise<void> {
  if (how === "whole" || body.bytes <= RANGES * RANGE_BYTES) {
    await agrees(vault.read(key, versionId, signal), body, key);
    return;
  }
  for (const range of sampled(body.bytes)) {
    const [there, here] = await Promise.all([
      gathered(vault.read(key, versionId, signal, range)),
      gathered(body.open(range)),
    ]);
    if (there.equals(here)) continue;
    const message = `${key}: bytes from ${range.from} read back are not the ones that were sealed`;
    throw new BewaardError("VAULT_CORRUPT", message);
  }
}

/** The first range, the last, and others anywhere. */
function sampled(bytes: number): readonly ByteRange[] {
  const last = bytes - RANGE_BYTES;
  const starts = [0, last, ...Array.from({ length: RANGES - 2 }, () => randomInt(last + 1))];
  return starts.map((from) => ({ from, to: from + RANGE_BYTES }));
}

async function gathered(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  // Copied each: a chunk is good only until the next.
  return Buffer.concat(await Array.fromAsync(chunks, (chunk) => Buffer.from(chunk)));
}
