import { type Clock, type Instant, instant, MINUTE_MS } from "#base/time";
import type { Database } from "../../storage/catalog/sqlite.ts";
import { type Oldest, oldestWaiting } from "../../storage/catalog/waiting.ts";
import type { VaultLevel } from "../../storage/vault/vault.ts";
import type { Events } from "../events.ts";
import { wantedBy } from "../lock.ts";
import { timeTrust } from "../trust.ts";
import { type Alarm, once } from "./alarm.ts";
import { isLate, type Lasted, lastedByWall } from "./lasted.ts";

/** Over once nothing waits for more than half as long: a line that just keeps up must not raise it each minute. */
const MILDER = 0.5;

/**
 * Footage waits for a vault of this level for longer than `limitMs`: there is one copy of it only. What came since the machine
 * was started is measured by uptime: after a power cut in which the line went too, no source may vouch for the time for days.
 */
export function uploadLate(
  clock: Clock,
  events: Events,
  database: Database,
  level: VaultLevel,
  limitMs: number,
): Alarm {
  return {
    name: "upload-late",
    rule: { raiseAfterMs: 0, clearAfterMs: 5 * MINUTE_MS, stage: once },
    look: async (now, isRaised) => {
      const { trusted } = await timeTrust(clock, database);
      // A clock that is ahead calls it all due, and so of no concern: that must not have it be over.
      const dueAt = trusted || !isRaised("") ? now : instant(0);
      const oldest = await oldestWaiting(database, wantedBy(level, dueAt), clock.bootId());
      const waits = oldest && waitOf(oldest, now, clock.uptimeMs(), trusted);
      if (!waits || !isLate(waits, isRaised(""), limitMs, limitMs * MILDER)) return [];
      const since = instant(Math.max(0, now - waits.atLeastMs));
      return [{ about: "", tell: () => events.uploadLate(since) }];
    },
    tellOver: (_, since) => events.uploadLateOver(since),
  };
}

function waitOf(
  { uptimeMs, beforeAt }: Oldest,
  now: Instant,
  nowUptimeMs: number,
  trusted: boolean,
): Lasted {
  const hereMs = uptimeMs === undefined ? 0 : Math.max(0, nowUptimeMs - uptimeMs);
  if (beforeAt === undefined) return { atLeastMs: hereMs, atMostMs: hereMs };
  // It was there when the machine was started.
  return lastedByWall(trusted, now - beforeAt, nowUptimeMs);
}
