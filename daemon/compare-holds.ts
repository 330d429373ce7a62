import { BewaardError } from "#base/errors";
import type { NodeId } from "#base/ids";
import type { Instant } from "#base/time";
import { heldInVault, isHeldHere, recordHoldLost } from "../storage/catalog/lost-holds.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { footageKey, segmentOf } from "../storage/vault/keys.ts";
import type { ObjectVersion, Vault } from "../storage/vault/vault.ts";
import type { Events } from "./events.ts";

const AT_ONCE = 500;

/**
 * Looks whether the vault still holds every version of what is held here. What it does not is not in force
 * any more: an alarm, and it is asked for again. A plain vault has nothing to compare.
 * @throws BewaardError VAULT_UNAVAILABLE (transient): the rest is looked at another time.
 */
export async function findLostHolds(
  events: Events,
  database: Database,
  vault: Vault,
  node: NodeId,
  now: Instant,
): Promise<void> {
  if (vault.level === "plain") return;
  let after = "";
  for (;;) {
    const held = await heldInVault(database, after, AT_ONCE);
    for (const { id, device, startedAt } of held) {
      after = id;
      if (await isHeldWhole(vault, footageKey(node, device, startedAt, id))) continue;
      await recordHoldLost(database, now, id);
      events.holdLost(id);
    }
    if (held.length < AT_ONCE) return;
  }
}

async function isHeldWhole(vault: Vault, key: string): Promise<boolean> {
  try {
    const versions = await vault.versions(key);
    for (const { versionId } of versions) if (!(await vault.isHeld(key, versionId))) return false;
    return versions.length > 0;
  } catch (error) {
    if (error instanceof BewaardError && error.code === "VAULT_NOT_FOUND") return false;
    throw error;
  }
}

/**
 * Whether the vault holds this version though no desk entry does (the reverse of a lost hold): for who walks
 * through the whole vault anyway. It stays, and somebody must find out who set it.
 */
export async function isStrayHold(
  database: Database,
  vault: Vault,
  { key, versionId }: ObjectVersion,
): Promise<boolean> {
  const id = segmentOf(key);
  if (vault.level === "plain" || id === undefined) return false;
  if (!(await vault.isHeld(key, versionId))) return false;
  return !(await isHeldHere(database, id));
}
