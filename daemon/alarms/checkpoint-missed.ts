import { HOUR_MS, MINUTE_MS } from "#base/time";
import type { Database } from "../../storage/catalog/sqlite.ts";
import { oldestUnpublished } from "../../storage/ledger/checkpoint.ts";
import type { Events } from "../events.ts";
import { type Alarm, once } from "./alarm.ts";

/** At least hourly, says invariant 5; it is signed each quarter of an hour. */
const LATE_MS = HOUR_MS;
const IN_TIME_MS = 30 * MINUTE_MS;

/** Something in the ledger is under no signed head that the vault has, for longer than an hour. */
export function checkpointMissed(events: Events, database: Database): Alarm {
  return {
    name: "checkpoint-missed",
    rule: { raiseAfterMs: 0, clearAfterMs: 0, stage: once },
    look: async (now, isRaised) => {
      const since = await oldestUnpublished(database);
      if (since === undefined || now - since <= (isRaised("") ? IN_TIME_MS : LATE_MS)) return [];
      return [{ about: "", tell: () => events.checkpointMissed(since) }];
    },
    tellOver: (_, since) => events.checkpointMissedOver(since),
  };
}
