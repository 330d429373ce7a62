import type { Clock } from "#base/time";
import type { Bodycam } from "../../storage/catalog/bodycams.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import type { Events } from "../events.ts";
import { timeTrust } from "../trust.ts";
import { type Alarm, once } from "./alarm.ts";

/**
 * A paired bodycam was in no slot for longer than policy's longest time undocked, from which the term of footage that nobody
 * can date counts: longer is too long. `missing` are those that are in no slot now; undefined before the slots were looked at.
 * While time is not trusted nobody can tell how long they are away: then only those that come are known to be over.
 */
export function bodycamAway(
  clock: Clock,
  events: Events,
  database: Database,
  missing: () => readonly Bodycam[] | undefined,
  longestUndockedMs: number,
): Alarm {
  return {
    name: "bodycam-away",
    rule: { raiseAfterMs: 0, clearAfterMs: 0, stage: once },
    look: async (now, isRaised) => {
      const { trusted } = await timeTrust(clock, database);
      return missing()
        ?.filter(({ device, seenAt }) =>
          trusted ? now - seenAt > longestUndockedMs : isRaised(device),
        )
        .map(({ device, seenAt }) => ({
          about: device,
          tell: () => events.bodycamAway(device, seenAt),
        }));
    },
    tellOver: (device, since) => events.bodycamAwayOver(device, since),
  };
}
