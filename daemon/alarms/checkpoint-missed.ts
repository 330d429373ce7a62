import { type Clock, HOUR_MS, instant, MINUTE_MS } from "#base/time";
import type { Database } from "../../storage/catalog/sqlite.ts";
import { oldestUnpublished } from "../../storage/ledger/checkpoint.ts";
import type { Events } from "../events.ts";
import { timeTrust } from "../trust.ts";
import { type Alarm, once } from "./alarm.ts";
import { isLate, lastedByWall } from "./lasted.ts";

/** At least hourly, says invariant 5; it is signed each quarter of an hour. */
const LATE_MS = HOUR_MS;
const IN_TIME_MS = 30 * MINUTE_MS;

/**
 * Something in the ledger is under no signed head that the vault has, for longer than an hour: by uptime from the look that saw
 * it first, since an entry has the time of whatever clock there was; by that time what was there before the first look.
 */
export function checkpointMissed(clock: Clock, events: Events, database: Database): Alarm {
  const seen = openSeen();
  return {
    name: "checkpoint-missed",
    rule: { raiseAfterMs: 0, clearAfterMs: 0, stage: once },
    look: async (now, isRaised) => {
      const { trusted } = await timeTrust(clock, database);
      const { size, oldest } = await oldestUnpublished(database);
      seen.look(size, clock.uptimeMs());
      if (oldest === undefined) return [];
      const { isNew, atMs } = seen.of(oldest.seq);
      const ms = clock.uptimeMs() - atMs;
      const lasts = isNew
        ? { atLeastMs: ms, atMostMs: ms }
        : lastedByWall(trusted, now - oldest.at, ms);
      if (!isLate(lasts, isRaised(""), LATE_MS, IN_TIME_MS)) return [];
      const since = instant(Math.max(0, now - lasts.atLeastMs));
      return [{ about: "", tell: () => events.checkpointMissed(since) }];
    },
    tellOver: (_, since) => events.checkpointMissedOver(since),
  };
}

/** Remembers by uptime which look saw an entry first, or only that it was long ago. */
function openSeen() {
  const looks: { readonly size: number; readonly atMs: number }[] = [];
  let first: number | undefined;
  return {
    look(size: number, atMs: number): void {
      first ??= size;
      if (size > (looks.at(-1)?.size ?? -1)) looks.push({ size, atMs });
      // The first of those that stay is one that is old enough: what came before it is no less old.
      while (looks[1] !== undefined && atMs - looks[1].atMs > 2 * LATE_MS) looks.shift();
    },
    /** `isNew`: it was not there at the first look. */
    of(seq: number): { readonly isNew: boolean; readonly atMs: number } {
      const look = looks.find(({ size }) => size > seq);
      if (look === undefined || first === undefined) throw new Error(`no look saw entry ${seq}`);
      return { isNew: seq >= first, atMs: look.atMs };
    },
  };
}
