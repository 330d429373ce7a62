import { type Clock, DAY_MS } from "#base/time";
import { countBreaches } from "../../storage/catalog/breaches.ts";
import { countOverdue } from "../../storage/catalog/due.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import type { Events } from "../events.ts";
import { timeTrust } from "../trust.ts";
import type { Alarm } from "./alarm.ts";

/**
 * Footage is past 28 days, not held and not destroyed (invariant 3): at once by its row, and whatever else the looks for breaches
 * found. Told again each day. Nobody can tell while time is not trusted.
 */
export function breachesLast(clock: Clock, events: Events, database: Database): Alarm {
  return {
    name: "breaches-last",
    rule: { raiseAfterMs: 0, clearAfterMs: 0, stage: (lastsMs) => Math.floor(lastsMs / DAY_MS) },
    look: async (now) => {
      if (!(await timeTrust(clock, database)).trusted) return undefined;
      const segments = await countOverdue(database, now);
      const breaches = await countBreaches(database);
      if (segments + breaches === 0) return [];
      return [{ about: "", tell: () => events.breachesLast(breaches, segments) }];
    },
    tellOver: (_, since) => events.breachesLastOver(since),
  };
}
