import { BewaardError } from "#base/errors";
import { type Clock, DAY_MS, every, MINUTE_MS } from "#base/time";
import { fileDamage } from "../storage/catalog/check-file.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import type { Events } from "./events.ts";
import { steady } from "./steady.ts";

/** What a start has to do comes first: the check reads gigabytes. */
const AFTER_START_MS = 10 * MINUTE_MS;

/**
 * Looks whether the catalog's file is sound, ten minutes after the start and then daily, until the signal
 * aborts. It reports only: what is damaged is for somebody to look at (invariant 6).
 */
export async function checkCatalog(
  clock: Clock,
  events: Events,
  database: Database,
  signal: AbortSignal,
): Promise<void> {
  const turn = steady(clock, events, "check-catalog");
  let turns = 0;
  for await (const _ of every(clock, () => (turns === 1 ? AFTER_START_MS : DAY_MS), signal)) {
    turns += 1;
    if (turns > 1) await turn(() => look(events, database, signal));
  }
}

async function look(events: Events, database: Database, signal: AbortSignal): Promise<void> {
  try {
    const damage = await fileDamage(database, signal);
    if (damage.length === 0) events.catalogChecked();
    else events.catalogDamaged(new BewaardError("CATALOG_DAMAGED", damage.join("; ")));
  } catch (error) {
    // Closing the catalog interrupts it.
    if (!signal.aborted) throw error;
  }
}
