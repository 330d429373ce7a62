import { createReadStream } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncDirectory, writeDurably } from "#base/durable";
import { BewaardError } from "#base/errors";
import { openPartDigests } from "../seal/part-digests.ts";
import type { ObjectBody, ObjectFacts } from "./vault.ts";

/** Prepares one whole version in `folder`: its facts, its hold, its bytes, all durable and read back. */
export async function writeVersion(
  folder: string,
  key: string,
  body: ObjectBody,
  facts: ObjectFacts,
  held: boolean,
  signal: AbortSignal,
): Promise<void> {
  // Not recursive: a vault that went away is not made anew in its mount point.
  await mkdir(dirname(folder));
  await mkdir(folder);
  // The key first: whoever finds the unfinished write must know what it was.
  await writeDurably(join(folder, "facts.json"), JSON.stringify({ key, facts }), 0o600);
  if (held) await writeDurably(join(folder, "held"), "", 0o600);
  await copyBody(body, join(folder, "body"), key, signal);
  await syncDirectory(folder);
  await syncDirectory(dirname(folder));
  await agrees(createReadStream(join(folder, "body"), { highWaterMark: 1 << 20 }), body, key);
}

async function copyBody(
  body: ObjectBody,
  path: string,
  key: string,
  signal: AbortSignal,
): Promise<void> {
  await using file = await open(path, "wx", 0o400);
  const digests = openPartDigests();
  for await (const chunk of body.open()) {
    signal.throwIfAborted();
    digests.update(chunk);
    await file.writeFile(chunk);
  }
  sameDigests(digests.finish(), body, key);
  await file.sync();
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
  for await (const chunk of bytes) digests.update(chunk);
  sameDigests(digests.finish(), body, key);
}

function sameDigests(
  found: { ciphertextBytes: number; parts: readonly string[] },
  body: ObjectBody,
  key: string,
): void {
  const same = found.parts.every((part, index) => part === body.parts[index]);
  if (same && found.ciphertextBytes === body.bytes && found.parts.length === body.parts.length)
    return;
  throw new BewaardError("VAULT_CORRUPT", `${key}: the bytes are not the ones that were sealed`);
}
