import { open } from "node:fs/promises";
import { BewaardError, systemCode } from "#base/errors";
import type { CiphertextSha256 } from "#base/ids";
import { progress } from "#base/progress";
import { openPartDigests } from "../seal/part-digests.ts";
import type { ByteRange, ObjectBody, Vault } from "./vault.ts";

const READ_BYTES = 512 * 1024;
/** To the end, wherever that is: more bytes than were sealed must be noticed. */
const WHOLE: ByteRange = { from: 0, to: Number.MAX_SAFE_INTEGER };

/** A sealed file in the spool, with the digests the catalog has of it. */
export function fileBody(
  path: string,
  bytes: number,
  parts: readonly CiphertextSha256[],
): ObjectBody {
  // One more than were sealed tells as well as all of them that there are more: who wrote it may have made it endless.
  const whole = { from: 0, to: bytes + 1 };
  return { open: (range = whole) => sealedFile(path, bytes, range), bytes, parts };
}

/** @throws BewaardError SPOOL_IO: the one who reads it must not take it for the vault's failure. */
async function* sealedFile(
  path: string,
  bytes: number,
  range: ByteRange,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* readThrough(path, bytes, range);
  } catch (cause) {
    const message = `a sealed file in the spool cannot be read (${systemCode(cause)})`;
    throw new BewaardError("SPOOL_IO", message, { cause });
  }
}

/**
 * Reads a file of about so many `bytes`, every chunk in the same memory: a new one for each would have the
 * collector at work for most of an upload, and megabytes of them wait for it.
 */
export async function* readThrough(
  path: string,
  bytes: number,
  { from, to }: ByteRange = WHOLE,
): AsyncGenerator<Uint8Array, void, undefined> {
  await using file = await open(path, "r");
  const most = Math.min(READ_BYTES, Math.max(1, Math.min(bytes, to) - from));
  const memory = Buffer.allocUnsafeSlow(most);
  for (let at = from; at < to; ) {
    const { bytesRead } = await file.read(memory, 0, Math.min(memory.length, to - at), at);
    if (bytesRead === 0) return;
    at += bytesRead;
    progress();
    yield memory.subarray(0, bytesRead);
  }
}

/** As file streams count: `end` is the last byte. Of an empty range they would read one, so none is read. */
export function inclusive(range: ByteRange | undefined): { start?: number; end?: number } {
  if (range === undefined) return {};
  const { from, to } = range;
  return to > from ? { start: from, end: to - 1 } : { start: Number.MAX_SAFE_INTEGER };
}

/** A small text: a ledger entry, a checkpoint, a desk entry. */
export function textBody(text: string): ObjectBody {
  return bytesBody(Buffer.from(text));
}

export function bytesBody(content: Uint8Array): ObjectBody {
  const digests = openPartDigests();
  digests.update(content);
  const { ciphertextBytes, parts } = digests.finish();
  return {
    async *open(range) {
      yield content.subarray(range?.from ?? 0, range?.to ?? content.length);
    },
    bytes: ciphertextBytes,
    parts,
  };
}

/** No text of ours is larger: a hold on 10,000 segments is under a megabyte, an hour of ledger a few. */
const TEXT_LIMIT_BYTES = 64 * 1024 * 1024;

/** Reads a small object whole. @throws BewaardError VAULT_CORRUPT for one that is larger than ours are. */
export async function readText(
  vault: Vault,
  key: string,
  versionId: string,
  signal: AbortSignal,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of vault.read(key, versionId, signal)) {
    bytes += chunk.length;
    if (bytes > TEXT_LIMIT_BYTES)
      throw new BewaardError("VAULT_CORRUPT", `${key}: too large a text`);
    chunks.push(chunk);
    progress();
  }
  return Buffer.concat(chunks).toString("utf8");
}

/**
 * Compares what the vault has with what it should have (invariant 1: "the same bytes").
 * @throws BewaardError VAULT_CORRUPT.
 */
export async function agrees(
  bytes: AsyncIterable<Uint8Array>,
  body: ObjectBody,
  key: string,
): Promise<void> {
  const digests = openPartDigests();
  let seen = 0;
  for await (const chunk of bytes) {
    seen += chunk.length;
    progress();
    // Whoever gives more need never end.
    if (seen > body.bytes) throw otherBytes(key);
    digests.update(chunk);
  }
  sameDigests(digests.finish(), body, key);
}

/** @throws BewaardError VAULT_CORRUPT when `found` is not what `body` promised. */
export function sameDigests(
  found: { ciphertextBytes: number; parts: readonly string[] },
  body: ObjectBody,
  key: string,
): void {
  const same = found.parts.every((part, index) => part === body.parts[index]);
  if (same && found.ciphertextBytes === body.bytes && found.parts.length === body.parts.length)
    return;
  throw otherBytes(key);
}

function otherBytes(key: string): BewaardError {
  return new BewaardError("VAULT_CORRUPT", `${key}: the bytes are not the ones that were sealed`);
}
