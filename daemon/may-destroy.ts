import type { Clock } from "#base/time";
import { waitsForConsistency } from "../storage/catalog/rebuilt.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import type { AskHistory } from "./one-history.ts";
import { timeTrust } from "./trust.ts";

/**
 * Whether anything may be destroyed now: time is trusted (invariant 10), the ledger here is not known to be another than
 * the one that left this box (invariant 5), and a catalog made from the vault was seen to agree with it.
 */
export function mayDestroyNow(
  clock: Clock,
  database: Database,
  history: () => ReturnType<AskHistory>,
): () => Promise<boolean> {
  return async () =>
    (await timeTrust(clock, database)).trusted &&
    (await history()) !== "diverged" &&
    !(await waitsForConsistency(database));
}
