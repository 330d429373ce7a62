import { type Clock, DAY_MS } from "#base/time";
import type { Database } from "../../storage/catalog/sqlite.ts";
import { OLD_MS, wantedBackup } from "../backup/known.ts";
import type { Events } from "../events.ts";
import { timeTrust } from "../trust.ts";
import { type Alarm, once } from "./alarm.ts";

/**
 * There has been no backup of the catalog for two days, where the site wants any (`isWanted`): a missed night passes, after two
 * somebody must look. Over with one of less than a day ago. Nobody can tell while time is not trusted, and then none is made.
 */
export function backupOld(
  clock: Clock,
  events: Events,
  database: Database,
  isWanted: boolean,
): Alarm {
  return {
    name: "backup-old",
    rule: { raiseAfterMs: 0, clearAfterMs: 0, stage: once },
    look: async (now, isRaised) => {
      if (!isWanted) return [];
      if (!(await timeTrust(clock, database)).trusted) return undefined;
      const known = await wantedBackup(database);
      // One of a clock that was ahead is no young one.
      const ageMs = known === undefined ? 0 : Math.abs(now - known.at);
      if (known === undefined || ageMs <= (isRaised("") ? DAY_MS : OLD_MS)) return [];
      const newest = known.made ? known.at : undefined;
      return [{ about: "", tell: () => events.backupOld(newest) }];
    },
    tellOver: (_, since) => events.backupOldOver(since),
  };
}
