import { atMostEvery } from "#base/at-most-every";
import { BewaardError } from "#base/errors";
import { parseDutyId } from "#base/ids";
import { type Clock, DAY_MS, every, isoOf, MINUTE_MS } from "#base/time";
import { type CovertPeriod, closeDuty, openDuties, readDuties } from "../storage/catalog/duties.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import type { Answers } from "./control/protocol.ts";
import type { Events } from "./events.ts";
import { newDutyId } from "./new-id.ts";
import { steady } from "./steady.ts";

/**
 * Opens what must be done by people when a covert camera's period is over (AR-41), and says each day what
 * still is to be, until the signal aborts.
 */
export async function duties(
  clock: Clock,
  events: Events,
  database: Database,
  periods: readonly CovertPeriod[],
  signal: AbortSignal,
): Promise<void> {
  const turn = steady(clock, events, "duties");
  const daily = atMostEvery(clock, DAY_MS);
  for await (const now of every(clock, MINUTE_MS, signal)) {
    await turn(async () => {
      await openDuties(database, now, periods, newDutyId);
      for (const { id, kind, device, openedAt } of await readDuties(database)) {
        if (daily(id)) events.dutyOpen(id, kind, device, openedAt);
      }
    });
  }
}

/** What core answers about them. */
export function dutyAnswers(
  clock: Clock,
  database: Database,
): Pick<Answers, "duties" | "duties.done"> {
  return {
    duties: async () => ({
      duties: (await readDuties(database)).map(({ kind, ...one }) => ({
        ...one,
        duty: kind,
        startedAt: isoOf(one.startedAt),
        endedAt: isoOf(one.endedAt),
        openedAt: isoOf(one.openedAt),
      })),
    }),
    "duties.done": async ({ id, by, reference }) => {
      const known = await closeDuty(database, clock.now(), parseDutyId(id), by, reference);
      if (known) return { done: id };
      throw new BewaardError(
        "DUTY_NOT_FOUND",
        `${id} is no open duty: bewaarctl duties lists them`,
      );
    },
  };
}
