import { diskError } from "#base/disk-errors";
import { type Clock, every, MINUTE_MS } from "#base/time";
import type { Reserve } from "../storage/catalog/reserve.ts";
import type { Events } from "./events.ts";
import { steady } from "./steady.ts";

/** Makes the catalog's reserve again, each minute, as soon as its disk has room, until the signal aborts. */
export async function replenish(
  clock: Clock,
  events: Events,
  reserve: Reserve,
  signal: AbortSignal,
): Promise<void> {
  const turn = steady(clock, events, "replenish");
  let missing = false;
  for await (const _ of every(clock, MINUTE_MS, signal)) {
    await turn(async () => {
      const found = await reserve.replenish().catch((error: unknown) => {
        throw diskError(error, "making the catalog's reserve");
      });
      if (found === "made") events.reserveMade();
      if (found === "no room" && !missing) events.catalogFull();
      missing = found === "no room";
    });
  }
}
