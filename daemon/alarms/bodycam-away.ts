import type { Bodycam } from "../../storage/catalog/bodycams.ts";
import type { Events } from "../events.ts";
import { type Alarm, once } from "./alarm.ts";

/**
 * A paired bodycam was in no slot for longer than policy's longest time undocked, from which the term of footage that nobody
 * can date counts: longer is too long. `missing` are those that are in no slot now; undefined before the slots were looked at.
 */
export function bodycamAway(
  events: Events,
  missing: () => readonly Bodycam[] | undefined,
  longestUndockedMs: number,
): Alarm {
  return {
    name: "bodycam-away",
    rule: { raiseAfterMs: 0, clearAfterMs: 0, stage: once },
    look: async (now) =>
      missing()
        ?.filter(({ seenAt }) => now - seenAt > longestUndockedMs)
        .map(({ device, seenAt }) => ({
          about: device,
          tell: () => events.bodycamAway(device, seenAt),
        })),
    tellOver: (device, since) => events.bodycamAwayOver(device, since),
  };
}
