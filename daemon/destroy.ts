import { lstat, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDirectory } from "#base/durable";
import { BewaardError, systemCode } from "#base/errors";
import type { NodeId } from "#base/ids";
import { step } from "#base/step";
import type { Doomed, LookedAgain } from "../storage/catalog/due.ts";
import { type Spool, segmentPath } from "../storage/spool/spool.ts";
import { footageKey } from "../storage/vault/keys.ts";
import type { Vault } from "../storage/vault/vault.ts";

/**
 * Destroys every copy of `segment` that this system has and looks again (R-01, procedure "Destroy").
 * The vault first: what it holds stays, and then the spool copy stays too. A vault that does not answer
 * does not keep the spool copy past its term.
 * @throws BewaardError VAULT_HELD, VAULT_UNAVAILABLE (transient), SPOOL_IO (transient).
 */
export async function destroySegment(
  spool: Spool,
  vault: Vault,
  node: NodeId,
  segment: Doomed,
): Promise<LookedAgain> {
  const key = footageKey(node, segment.device, segment.startedAt, segment.id);
  const path = segmentPath(spool, segment.id, segment.arrivedAt);
  try {
    const versions = await emptyVault(vault, key);
    step("destroy.vault-emptied");
    await unlinkSpool(path);
    step("destroy.spool-unlinked");
    return { id: segment.id, versions, missing: versions === 0 && segment.versionId !== undefined };
  } catch (error) {
    const held = error instanceof BewaardError && error.code === "VAULT_HELD";
    if (!held) await unlinkSpool(path);
    throw error;
  }
}

async function emptyVault(vault: Vault, key: string): Promise<number> {
  await vault.abandon(key);
  const versions = await vault.versions(key);
  for (const { versionId } of versions) await vault.destroy(key, versionId);
  const left = await vault.versions(key);
  if (left.length > 0) {
    throw new BewaardError("VAULT_UNAVAILABLE", `${key}: ${left.length} versions are still there`, {
      transient: true,
    });
  }
  return versions.length;
}

async function unlinkSpool(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
    await syncDirectory(dirname(path)).catch(ignoreMissing);
    await lstat(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return;
    throw new BewaardError(
      "SPOOL_IO",
      `a file in the spool cannot be removed (${systemCode(error)})`,
      {
        transient: true,
        cause: error,
      },
    );
  }
  throw new BewaardError("SPOOL_IO", "a file in the spool is still there after removing it", {
    transient: true,
  });
}

// The folder of a day in which nothing is left may never have been made.
function ignoreMissing(error: unknown): void {
  if (systemCode(error) !== "ENOENT") throw error;
}
