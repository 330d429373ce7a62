import { type Clock, every, HOUR_MS } from "#base/time";
import { endBreaches, recordBreaches } from "../storage/catalog/breaches.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { overdueHere } from "../storage/overdue-here.ts";
import type { Spool } from "../storage/spool/spool.ts";
import type { Events } from "./events.ts";
import { steady } from "./steady.ts";
import type { Term } from "./term.ts";
import { timeTrust } from "./trust.ts";

/**
 * Looks hourly for footage that is older than its term and that nothing holds, in every place this box has, until
 * the signal aborts. Each is a breach with the moment of its discovery, once, in ledger and journal; as long as
 * any lasts there is the alarm `breaches-last`. What the vault has besides, the weekly sweep finds. Waits for
 * trusted time: without it nobody knows what is old.
 */
export async function findBreaches(
  clock: Clock,
  events: Events,
  database: Database,
  spool: Spool,
  { destroyWithinMs }: Pick<Term, "destroyWithinMs">,
  signal: AbortSignal,
): Promise<void> {
  const turn = steady(clock, events, "find-breaches");
  for await (const now of every(clock, HOUR_MS, signal)) {
    await turn(async () => {
      if (!(await timeTrust(clock, database)).trusted) return;
      const found = await overdueHere(database, spool, destroyWithinMs, now);
      const fresh = await recordBreaches(database, now, "box", found);
      await endBreaches(
        database,
        now,
        "box",
        found.map(({ what }) => what),
        [],
      );
      for (const one of fresh) events.breach(one.what, one.place, now);
    });
  }
}
