import { createHash } from "node:crypto";
import { BewaardError } from "#base/errors";
import { openPartDigests } from "../storage/seal/part-digests.ts";
import type { ObjectBody, ObjectFacts, Vault } from "../storage/vault/vault.ts";

/** What was seen of a copy when it was read back whole. */
export interface ReadBack {
  readonly versionId: string;
  /** SHA-256 of the whole sealed file, lower-case hex: what `sha256sum` says of it. */
  readonly sha256: string;
}

/**
 * Puts the first of `sources` that can be read whole under `key`, and reads all of it back.
 * @throws BewaardError what the vault throws; VAULT_CORRUPT when what it has is not what was sealed; what the
 * last source threw, not transient in the vault's words.
 */
export async function copyOver(
  vault: Vault,
  key: string,
  sources: readonly ObjectBody[],
  facts: ObjectFacts,
  signal: AbortSignal,
): Promise<ReadBack> {
  let failed: unknown;
  for (const source of sources) {
    const watched = watching(source);
    try {
      const keeping = { facts, held: false, lockedUntil: undefined };
      const versionId = await vault.put(key, watched.body, keeping, signal);
      return { versionId, sha256: await readBack(vault, key, versionId, source, signal) };
    } catch (error) {
      const ofSource = watched.failed() ?? (isCorrupt(error) ? error : undefined);
      if (ofSource === undefined) throw error;
      failed = ofSource;
    }
  }
  throw unreadable(key, failed);
}

/** A body that remembers whether its own bytes could not be read: that is no failure of where they go. */
function watching(source: ObjectBody): { body: ObjectBody; failed: () => unknown } {
  let failed: unknown;
  async function* open(range?: { from: number; to: number }) {
    try {
      yield* source.open(range);
    } catch (error) {
      failed = error;
      throw error;
    }
  }
  return { body: { ...source, open }, failed: () => failed };
}

function isCorrupt(error: unknown): boolean {
  return error instanceof BewaardError && error.code === "VAULT_CORRUPT";
}

function unreadable(key: string, cause: unknown): unknown {
  if (!(cause instanceof BewaardError)) return cause;
  // Not VAULT_UNAVAILABLE: that would be said of the medium, which does answer.
  const message = `${key}: no copy that can be read whole (${cause.code}: ${cause.message})`;
  return new BewaardError("VAULT_CORRUPT", message, { cause });
}

async function readBack(
  vault: Vault,
  key: string,
  versionId: string,
  { bytes, parts }: ObjectBody,
  signal: AbortSignal,
): Promise<string> {
  const digests = openPartDigests();
  const whole = createHash("sha256");
  for await (const chunk of vault.read(key, versionId, signal)) {
    digests.update(chunk);
    whole.update(chunk);
  }
  const seen = digests.finish();
  if (seen.ciphertextBytes === bytes && seen.parts.join() === parts.join())
    return whole.digest("hex");
  throw new BewaardError("VAULT_CORRUPT", `${key}: the medium reads back other bytes`);
}
