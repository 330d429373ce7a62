import { type Clock, DAY_MS } from "#base/time";
import type { Database } from "../../storage/catalog/sqlite.ts";
import type { Events } from "../events.ts";
import { timeTrust } from "../trust.ts";
import type { Alarm } from "./alarm.ts";

/** Time is not trusted, so nothing is destroyed: told at once, and again each day (invariant 10). */
export function clockUntrusted(clock: Clock, events: Events, database: Database): Alarm {
  let why = "";
  return {
    name: "clock-untrusted",
    rule: { raiseAfterMs: 0, clearAfterMs: 0, stage: (lastsMs) => Math.floor(lastsMs / DAY_MS) },
    look: async () => {
      const trust = await timeTrust(clock, database);
      ({ why } = trust);
      return trust.trusted ? [] : [{ about: "", tell: () => events.clockUntrusted(trust.why) }];
    },
    tellOver: () => events.clockTrusted(why),
  };
}
