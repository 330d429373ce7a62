import type { Clock } from "#base/time";
import { waitsForConsistency } from "../../storage/catalog/rebuilt.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import type { AskHistory } from "../one-history.ts";
import { timeTrust } from "../trust.ts";
import type { MayNotWipe } from "./wiper.ts";

/**
 * Why no card may be wiped now, whatever is on it. `clock`: time is not trusted, so that neither an order's expiry nor a
 * term that is over says anything (invariant 10). `history`: nobody has seen that the ledger here is the one that left
 * this box; a catalog that was set back may believe that a place has what it has lost. A card is in no hurry: unlike
 * the ring it waits for the vault to say so.
 */
export function whyNotNow(
  clock: Clock,
  database: Database,
  history: () => ReturnType<AskHistory>,
): MayNotWipe {
  return async () => {
    if (!(await timeTrust(clock, database)).trusted) return "clock";
    if ((await history()) !== "one" || (await waitsForConsistency(database))) return "history";
    return undefined;
  };
}
