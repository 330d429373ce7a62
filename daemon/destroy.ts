import { lstat, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDirectory } from "#base/durable";
import { BewaardError, systemCode } from "#base/errors";
import type { NodeId } from "#base/ids";
import { step } from "#base/step";
import type { Doomed, LookedAgain } from "../storage/catalog/due.ts";
import { type Spool, segmentPath } from "../storage/spool/spool.ts";
import { footageKey } from "../storage/vault/keys.ts";
import type { Traces, Vault } from "../storage/vault/vault.ts";

/** How a destruction stands: everything is gone, or the locked bucket's own rule must still do it. */
export type Destruction = LookedAgain | "left to the bucket";

/**
 * Destroys every copy of `segment` that this system has and looks again (R-01, procedure "Destroy").
 * The vault first: what it holds stays, and then the spool copy stays too. A vault that does not answer
 * does not keep the spool copy past its term. In a locked bucket nothing can be destroyed from here: its
 * own rule does it, and the spool copy goes at once.
 * @throws BewaardError VAULT_HELD, VAULT_UNAVAILABLE (transient), SPOOL_IO (transient).
 */
export async function destroySegment(
  spool: Spool,
  vault: Vault,
  node: NodeId,
  segment: Doomed,
): Promise<Destruction> {
  const key = footageKey(node, segment.device, segment.startedAt, segment.id);
  const path = segmentPath(spool, segment.id, segment.arrivedAt);
  if (vault.level === "locked") return leaveToBucket(vault, key, path, segment);
  try {
    const versions = await emptyVault(vault, key);
    step("destroy.vault-emptied");
    await unlinkSpool(path);
    step("destroy.spool-unlinked");
    const missing = versions === 0 && segment.versionId !== undefined;
    return { id: segment.id, versions, missing, by: "box", markers: 0 };
  } catch (error) {
    const held = error instanceof BewaardError && error.code === "VAULT_HELD";
    if (!held) await unlinkSpool(path);
    throw error;
  }
}

async function leaveToBucket(
  vault: Vault,
  key: string,
  path: string,
  { id }: Doomed,
): Promise<Destruction> {
  await unlinkSpool(path);
  step("destroy.spool-unlinked");
  await vault.abandon(key);
  if (!isGone(await vault.traces(key))) return "left to the bucket";
  return { id, versions: 0, missing: false, by: "bucket", markers: 0 };
}

/** Nothing of it is to be seen: no version, no marker that hides one, no unfinished write. */
export function isGone({ versions, markers, unfinished }: Traces): boolean {
  return versions + markers + unfinished === 0;
}

/**
 * Removes every version and unfinished write of `key`, and looks again; returns how many versions went.
 * @throws BewaardError VAULT_HELD, VAULT_UNAVAILABLE (transient) also when something is still there.
 */
export async function emptyVault(vault: Vault, key: string): Promise<number> {
  await vault.abandon(key);
  const versions = await vault.versions(key);
  for (const { versionId } of versions) await vault.destroy(key, versionId);
  let left = await vault.traces(key);
  if (versions.length === 0 && left.markers > 0) {
    await vault.unhide(key);
    left = await vault.traces(key);
  }
  if (!isGone(left)) {
    const count = left.versions + left.markers + left.unfinished;
    const message = `${key}: ${count} versions, markers or unfinished writes are still there`;
    throw new BewaardError("VAULT_UNAVAILABLE", message, { transient: true });
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
