import type { NodeId } from "#base/ids";
import { TERM_LIMIT_MS } from "#base/term";
import { DAY_MS, type Instant } from "#base/time";
import { backupAt, backupPrefix } from "../../storage/vault/keys.ts";
import type { Vault } from "../../storage/vault/vault.ts";
import type { BackedUp } from "./make.ts";

/** As the lifecycle of a bucket has it: this much of the term is left for those who are late. */
const SPARE_MS = 4 * DAY_MS;

/**
 * Removes from a directory the backups that know of footage whose term may be over, so that nothing is known longer than
 * it is kept. In a bucket its own rule does that, and the box may not. Returns how many are still there past 28 days.
 */
export async function removeOldBackups(
  vault: Vault,
  { node, termMs }: Pick<BackedUp, "node" | "termMs">,
  now: Instant,
  signal: AbortSignal,
): Promise<number> {
  const keepMs = Math.max(DAY_MS, termMs - SPARE_MS);
  let left = 0;
  for await (const { key, versionId } of vault.list(backupPrefix(node), signal)) {
    const at = backupAt(key);
    if (at === undefined) continue;
    if (vault.level === "directory" && now - at > keepMs) await vault.destroy(key, versionId);
    else if (now - at > TERM_LIMIT_MS) left += 1;
  }
  return left;
}

/** Removes what a put that was cut off left of a backup. */
export async function abandonUnfinished(vault: Vault, node: NodeId): Promise<void> {
  for (const key of await vault.unfinished(backupPrefix(node))) await vault.abandon(key);
}
