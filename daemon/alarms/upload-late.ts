import { MINUTE_MS } from "#base/time";
import type { Database } from "../../storage/catalog/sqlite.ts";
import { oldestWaiting } from "../../storage/catalog/waiting.ts";
import type { VaultLevel } from "../../storage/vault/vault.ts";
import type { Events } from "../events.ts";
import { wantedBy } from "../lock.ts";
import { type Alarm, once } from "./alarm.ts";

/** Over once nothing waits for more than half as long: a line that just keeps up must not raise it each minute. */
const MILDER = 0.5;

/** Footage waits for a vault of this level for longer than `limitMs`: there is one copy of it only. */
export function uploadLate(
  events: Events,
  database: Database,
  level: VaultLevel,
  limitMs: number,
): Alarm {
  return {
    name: "upload-late",
    rule: { raiseAfterMs: 0, clearAfterMs: 5 * MINUTE_MS, stage: once },
    look: async (now, isRaised) => {
      const since = await oldestWaiting(database, wantedBy(level, now));
      const allowedMs = isRaised("") ? limitMs * MILDER : limitMs;
      if (since === undefined || now - since <= allowedMs) return [];
      return [{ about: "", tell: () => events.uploadLate(since) }];
    },
    tellOver: (_, since) => events.uploadLateOver(since),
  };
}
