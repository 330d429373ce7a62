import { atMostEvery } from "#base/at-most-every";
import { type Clock, DAY_MS, every, HOUR_MS, type Instant } from "#base/time";
import type { Events } from "../events.ts";
import { steady } from "../steady.ts";
import type { Outstanding } from "./outstanding.ts";

/** What is done with open orders of one kind. */
export interface Settling<Order> {
  readonly name: string;
  /** How often it is looked while there are any. */
  readonly lookEveryMs: number;
  /** How often it is asked whether there are any by now. */
  readonly quietLookMs: number;
  readonly open: () => Promise<readonly Order[]>;
  /** `hourly` says whether what keeps failing is told once more. */
  readonly settle: (order: Order, hourly: (what: string) => boolean) => Promise<void>;
  /** Done once a day. */
  readonly tidy: (now: Instant) => Promise<void>;
}

/** Settles open orders, one after the other, until the signal aborts. An idle box does not ask its catalog. */
export async function settleOpen<Order>(
  clock: Clock,
  events: Events,
  outstanding: Outstanding,
  { name, lookEveryMs, quietLookMs, open, settle, tidy }: Settling<Order>,
  signal: AbortSignal,
): Promise<void> {
  const turn = steady(clock, events, name);
  const daily = atMostEvery(clock, DAY_MS);
  const hourly = atMostEvery(clock, HOUR_MS);
  const pace = () => (outstanding.any ? lookEveryMs : quietLookMs);
  for await (const now of every(clock, pace, signal)) {
    await turn(async () => {
      if (daily("tidy")) await tidy(now);
      if (!outstanding.any) return;
      // Before it is asked: what is ordered meanwhile is looked at in the next turn.
      outstanding.any = false;
      const orders = await open();
      if (orders.length > 0) outstanding.any = true;
      for (const order of orders) await settle(order, hourly);
    });
  }
}
