import { createHash } from "node:crypto";
import { BewaardError } from "#base/errors";
import { PART_BYTES } from "../../storage/seal/part-digests.ts";
import type { SealedSource } from "../../storage/seal/range.ts";
import type { Vault } from "../../storage/vault/vault.ts";
import type { LedgerSegment } from "./node-ledger.ts";

/** A player goes back and forth between the index at the end and the place it plays. */
const PARTS_KEPT = 2;

/**
 * A sealed file in the vault, read where one likes. A window has no hash of its own in the ledger, so each
 * 64 MiB part is compared with its digest there before any byte of it is used; two are kept in memory.
 * @throws BewaardError DESK_TAMPERED for other bytes, VAULT_NOT_FOUND, VAULT_UNAVAILABLE.
 */
export function provenSource(
  vault: Vault,
  known: LedgerSegment,
  versionId: string,
  signal: AbortSignal,
): SealedSource {
  const kept = new Map<number, Promise<Buffer>>();

  async function fetched(index: number): Promise<Buffer> {
    const from = index * PART_BYTES;
    const range = { from, to: Math.min(from + PART_BYTES, known.ciphertextBytes) };
    const bytes = Buffer.concat(
      await Array.fromAsync(vault.read(known.key, versionId, signal, range)),
    );
    if (createHash("sha256").update(bytes).digest("hex") === known.parts[index]) return bytes;
    const message = "de bytes zijn niet die van het logboek / the bytes are not the ledger's";
    throw new BewaardError("DESK_TAMPERED", message);
  }

  function part(index: number): Promise<Buffer> {
    const one = kept.get(index) ?? fetched(index);
    // The newest use comes last, and the oldest goes.
    kept.delete(index);
    kept.set(index, one);
    for (const old of [...kept.keys()].slice(0, -PARTS_KEPT)) kept.delete(old);
    return one;
  }

  return {
    bytes: known.ciphertextBytes,
    async read(from, to) {
      const end = Math.min(to, known.ciphertextBytes);
      const pieces: Buffer[] = [];
      for (let index = Math.floor(from / PART_BYTES); index * PART_BYTES < end; index += 1) {
        const at = index * PART_BYTES;
        pieces.push((await part(index)).subarray(Math.max(0, from - at), end - at));
      }
      return pieces.length === 1 ? (pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(pieces);
    },
  };
}
