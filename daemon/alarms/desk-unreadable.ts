import { type Clock, DAY_MS, instant, MINUTE_MS } from "#base/time";
import type { Database } from "../../storage/catalog/sqlite.ts";
import type { Events } from "../events.ts";
import type { Unread } from "../heed.ts";
import { timeTrust } from "../trust.ts";
import type { Alarm } from "./alarm.ts";
import { lastedByWall } from "./lasted.ts";

/** Days without a word of the desk on which somebody must act (invariant 4). */
const ALARM_DAYS = [0, 14, 21, 26];

/**
 * The desk's entries cannot be read, or are not believed: told at once, and again on days 14, 21 and 26 since they last were. About
 * each reason by itself: that the vault is away must not hide that an entry is forged. `unread` is undefined before the first try.
 * While time is not trusted days are counted by uptime, from the last reading of this process or from its start: nothing is
 * destroyed meanwhile, which those days are to warn of.
 */
export function deskUnreadable(
  clock: Clock,
  events: Events,
  database: Database,
  unread: () => Unread | null | undefined,
): Alarm {
  return {
    name: "desk-unreadable",
    rule: {
      raiseAfterMs: 0,
      // A vault that comes and goes must not tell it each time.
      clearAfterMs: 5 * MINUTE_MS,
      stage: (lastsMs) => ALARM_DAYS.findLastIndex((day) => lastsMs >= day * DAY_MS),
    },
    look: async (now) => {
      const known = unread();
      if (known === undefined) return undefined;
      if (known === null) return [];
      const { error } = known;
      const { trusted } = await timeTrust(clock, database);
      const hereMs = clock.uptimeMs() - known.sinceUptimeMs;
      const { atLeastMs } = lastedByWall(trusted, now - known.since, hereMs);
      const since = instant(Math.max(0, now - atLeastMs));
      const days = Math.floor((now - since) / DAY_MS);
      return [{ about: error.code, since, tell: () => events.deskUnreadable(days, error) }];
    },
    tellOver: (code, since) => events.deskUnreadableOver(code, since),
  };
}
