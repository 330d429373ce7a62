import { HOUR_MS, MINUTE_MS } from "#base/time";
import type { Events } from "../events.ts";
import { type AskRoomLeft, hoursLeft } from "../room-left.ts";
import { type Alarm, once } from "./alarm.ts";

/** Over with half as much again. */
const MILDER = 1.5;

/** With what comes in, and a vault that takes nothing, the spool is full within `limitMs`. */
export function diskLeft(events: Events, askRoomLeft: AskRoomLeft, limitMs: number): Alarm {
  return {
    name: "disk-left",
    rule: { raiseAfterMs: 0, clearAfterMs: 10 * MINUTE_MS, stage: once },
    look: async (_, isRaised) => {
      const room = await askRoomLeft();
      const hours = hoursLeft(room);
      const wantedMs = isRaised("") ? limitMs * MILDER : limitMs;
      if (hours === undefined || hours * HOUR_MS >= wantedMs) return [];
      return [{ about: "", tell: () => events.diskLeft(Math.floor(hours), room.leftBytes) }];
    },
    tellOver: (_, since) => events.diskLeftOver(since),
  };
}
