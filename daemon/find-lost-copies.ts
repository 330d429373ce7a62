import { BewaardError } from "#base/errors";
import type { NodeId } from "#base/ids";
import type { Clock } from "#base/time";
import { recordCopyLost } from "../storage/catalog/medium-destroyed.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { copiesOn } from "../storage/check-secured.ts";
import { footageKey } from "../storage/vault/keys.ts";
import type { Events } from "./events.ts";
import type { Medium } from "./secure.ts";

/**
 * Looks whether the medium still has every separate copy, by its length. What it has not is gone: an alarm, its holds
 * are not in force any more, and it is copied anew (AR-20, invariant 4). Whether the bytes are right is for `verify`.
 * False when the medium is away: then it is looked at another time.
 */
export async function findLostCopies(
  clock: Clock,
  events: Events,
  database: Database,
  node: NodeId,
  medium: Medium,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    for await (const { segment } of copiesOn(database, medium)) {
      if (signal.aborted) return false;
      const { id, device, startedAt, ciphertextBytes } = segment;
      const versions = await medium.vault.versions(footageKey(node, device, startedAt, id));
      if (versions.some(({ bytes }) => bytes === ciphertextBytes)) continue;
      if (await recordCopyLost(database, clock.now(), id, medium)) events.securedLost(id, medium);
    }
    return true;
  } catch (error) {
    if (!(error instanceof BewaardError && error.transient)) throw error;
    return false;
  }
}
