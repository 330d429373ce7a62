import { BewaardError } from "#base/errors";
import { step } from "#base/step";
import {
  type Clock,
  DAY_MS,
  type Instant,
  instant,
  instantOf,
  MINUTE_MS,
  SECOND_MS,
} from "#base/time";
import type { Database } from "../../storage/catalog/sqlite.ts";
import {
  forgetTimeOrders,
  type OpenTimeOrder,
  openTimeOrders,
  recordClockSet,
  type TimeFate,
} from "../../storage/catalog/time-orders.ts";
import type { Events } from "../events.ts";
import type { Outstanding } from "../ordering/outstanding.ts";
import { clearOrder, isGivenUp, isWritten, type Reports, reportOf } from "../ordering/reports.ts";
import { settleOpen } from "../ordering/settle-open.ts";
import type { Report } from "../orders/report.ts";

/** A helper that began in time is soon done, even with a card that hardly answers. */
const WORK_MS = 2 * MINUTE_MS;
/** What came of an order is remembered, so that it is not made again in the same stay of a card. */
const REMEMBERED_MS = 7 * DAY_MS;

/**
 * Takes in what the helper reports of orders to set a clock until the signal aborts, each second while there are any
 * (procedure "Set a clock"). One of which nothing is heard is told of and forgotten: a nonce serves once.
 */
export async function settleTimes(
  clock: Clock,
  events: Events,
  database: Database,
  reports: Reports,
  outstanding: Outstanding,
  signal: AbortSignal,
): Promise<void> {
  await settleOpen(
    clock,
    events,
    outstanding,
    {
      name: "set-time",
      // Somebody may be waiting at the slot.
      lookEveryMs: SECOND_MS,
      quietLookMs: 2 * SECOND_MS,
      open: () => openTimeOrders(database),
      settle: (order, hourly) => lookAt(clock, events, database, reports, order, hourly),
      tidy: async (now) => void (await forgetTimeOrders(database, longBefore(now))),
    },
    signal,
  );
}

function longBefore(now: Instant): Instant {
  return instant(Math.max(0, now - REMEMBERED_MS));
}

async function lookAt(
  clock: Clock,
  events: Events,
  database: Database,
  reports: Reports,
  order: OpenTimeOrder,
  hourly: (what: string) => boolean,
): Promise<void> {
  const written = await isWritten(reports, order.nonce);
  const report = await reportOf(events, reports, order, hourly);
  if (report === undefined && !isGivenUp(clock, order, written, WORK_MS)) return;
  if (report?.verb === "wipe") {
    const error = new BewaardError("ORDER_REFUSED", "a report speaks of another verb");
    if (hourly(order.nonce)) events.reportRefused(order.device, order.nonce, error);
    return;
  }
  const fate = fateOf(report);
  const isNew = await recordClockSet(database, clock.now(), order, fate);
  step("clock.reported");
  if (isNew) tell(events, order, fate);
  await clearOrder(reports, order.nonce);
  step("clock.cleared");
}

function fateOf(report: Report | undefined): TimeFate {
  if (report === undefined)
    return { outcome: "unreported", why: null, startedAt: null, endedAt: null };
  const { outcome, why, startedAt, endedAt } = report;
  return { outcome, why, startedAt: instantOf(startedAt), endedAt: instantOf(endedAt) };
}

function tell(
  events: Events,
  { device, nonce, offsetMs }: OpenTimeOrder,
  { outcome, why }: TimeFate,
): void {
  if (outcome === "done") events.clockSet(device, nonce, offsetMs);
  else events.clockNotSet(device, nonce, outcome, why);
}
