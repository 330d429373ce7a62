import { DAY_MS } from "#base/time";
import { heldNowhere } from "../../storage/catalog/nowhere.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import type { Events } from "../events.ts";
import type { Alarm } from "./alarm.ts";

/** So many are named: the field of an event is not endless, and the rest is found by the ledger's gaps. */
const NAMED = 100;

/**
 * Footage is held and its bytes were lost with the box: nobody can give it to who asked for it (docs/recover.md). Told at
 * once and each day, until the desk releases it. By the catalog alone, so that no clock has a say in it.
 */
export function heldNowhereAlarm(events: Events, database: Database): Alarm {
  return {
    name: "held-nowhere",
    rule: { raiseAfterMs: 0, clearAfterMs: 0, stage: (lastsMs) => Math.floor(lastsMs / DAY_MS) },
    look: async () => {
      const { count, segments } = await heldNowhere(database, NAMED);
      if (count === 0) return [];
      return [{ about: "", tell: () => events.heldNowhere(count, segments) }];
    },
    tellOver: (_, since) => events.heldNowhereOver(since),
  };
}
