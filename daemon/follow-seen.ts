import { atMostEvery } from "#base/at-most-every";
import { BewaardError } from "#base/errors";
import type { NodeId } from "#base/ids";
import { type Clock, DAY_MS, dayOf, every, HOUR_MS, type Instant, instant } from "#base/time";
import { forgetSeen, recordSeen, seenDay } from "../storage/catalog/seen.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import type { Vault } from "../storage/vault/vault.ts";
import { readSeen, SEEN_DAYS } from "./desk/seen-list.ts";
import type { Events } from "./events.ts";
import type { DeskOf } from "./heed.ts";
import { steady } from "./steady.ts";

/**
 * Reads the newest list of files that boxes have taken, hourly, until the signal aborts. Without one, or with one that
 * cannot be believed, a file is taken once more, which costs room and loses nothing.
 */
export async function followSeen(
  clock: Clock,
  events: Events,
  database: Database,
  vault: Vault,
  node: NodeId,
  { site, signersPath }: Pick<DeskOf, "site" | "signersPath">,
  signal: AbortSignal,
): Promise<void> {
  const turn = steady(clock, events, "seen");
  const daily = atMostEvery(clock, DAY_MS);
  for await (const now of every(clock, HOUR_MS, signal)) {
    await turn(async () => {
      if (daily("forget")) await forgetSeen(database, now);
      const known = (await seenDay(database)) ?? "";
      for (const day of daysBefore(now)) {
        if (day <= known) return;
        try {
          const list = await readSeen(vault, site, signersPath, day, signal);
          if (list === undefined) continue;
          const others = list.files.filter((file) => file.node !== node);
          await recordSeen(database, day, others);
          events.seenRead(day, others.length);
          return;
        } catch (error) {
          if (signal.aborted) return;
          if (!(error instanceof BewaardError)) throw error;
          if (error.code !== "DESK_TAMPERED") throw error;
          if (daily(day)) events.seenRefused(day, error);
        }
      }
    });
  }
}

/** Today first. */
function daysBefore(now: Instant): readonly string[] {
  return Array.from({ length: SEEN_DAYS }, (_, back) =>
    dayOf(instant(Math.max(0, now - back * DAY_MS))),
  );
}
