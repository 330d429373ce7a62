import { atMostEvery } from "#base/at-most-every";
import { BewaardError } from "#base/errors";
import { type Clock, DAY_MS } from "#base/time";
import type { Database } from "../../storage/catalog/sqlite.ts";
import { headDiffers } from "../../storage/ledger/own-head.ts";
import type { Events } from "../events.ts";
import type { Condition } from "./attendant.ts";

/** The ledger is the one that was signed last. Where it is not, that is an alarm, and what comes in is still taken. */
export function ledgerStands(clock: Clock, events: Events, database: Database): Condition {
  const daily = atMostEvery(clock, DAY_MS);
  return {
    what: "the ledger is the one that was signed last",
    holds: async () => {
      const why = await headDiffers(database);
      if (why !== undefined && daily("differs"))
        events.ledgerDiverged(new BewaardError("LEDGER_DIVERGED", why));
      return why === undefined;
    },
  };
}
