import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { diskError } from "#base/disk-errors";
import { BewaardError, systemCode } from "#base/errors";
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
import { type OpenWipe, openWipes, toldOfWipe } from "../../storage/catalog/open-wipes.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import {
  forgetWipes,
  recordUnreported,
  recordWiped,
  type Wiped,
} from "../../storage/catalog/wiped.ts";
import type { Events } from "../events.ts";
import type { Outstanding } from "../ordering/outstanding.ts";
import { clearOrder, isGivenUp, isWritten, type Reports, reportOf } from "../ordering/reports.ts";
import { settleOpen } from "../ordering/settle-open.ts";
import type { Report } from "../orders/report.ts";

/** A helper that began in time may still be reading: so long, and a second for each of so many bytes. */
const PATIENCE_MS = 30 * MINUTE_MS;
const SLOWEST_BYTES_PER_SECOND = 4_000_000;
/** What came of an order is remembered for who asks for so long. */
const REMEMBERED_MS = 7 * DAY_MS;

/**
 * Takes in what the helper reports of the open orders until the signal aborts, each two seconds while there are any (procedure "Wipe"). An
 * order of which nothing is heard is told of and forgotten: a nonce serves once.
 */
export async function settleWipes(
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
      name: "wipe",
      lookEveryMs: 2 * SECOND_MS,
      quietLookMs: 5 * SECOND_MS,
      open: () => openWipes(database),
      settle: (order, hourly) => lookAt(clock, events, database, reports, order, hourly),
      tidy: (now) => tidy(database, reports, now),
    },
    signal,
  );
}

async function lookAt(
  clock: Clock,
  events: Events,
  database: Database,
  reports: Reports,
  order: OpenWipe,
  hourly: (what: string) => boolean,
): Promise<void> {
  // Before the report: the helper writes that first and then removes the order.
  const written = await isWritten(reports, order.nonce);
  const report = await reportOf(events, reports, order, hourly);
  if (report !== undefined) return settle(clock, events, database, reports, order, report, hourly);
  if (!isGivenUp(clock, order, written, workMs(order))) return;
  await recordUnreported(database, clock.now(), order);
  events.wipeUnreported(order.device, order.nonce);
  await clear(reports, order);
}

async function settle(
  clock: Clock,
  events: Events,
  database: Database,
  reports: Reports,
  order: OpenWipe,
  report: Report,
  hourly: (what: string) => boolean,
): Promise<void> {
  const { startedAt, endedAt } = report;
  const times = { startedAt: instantOf(startedAt), endedAt: instantOf(endedAt) };
  const wiped = await recordWiped(database, clock.now(), order, { ...report, ...times });
  if (wiped === "other files") {
    const error = new BewaardError(
      "ORDER_REFUSED",
      "a report speaks of other files than its order",
    );
    if (hourly(order.nonce)) events.reportRefused(order.device, order.nonce, error);
    return;
  }
  step("wipe.reported");
  if (wiped !== "known") tell(events, order, report, wiped);
  await clear(reports, order);
}

function tell(events: Events, { device, nonce }: OpenWipe, report: Report, wiped: Wiped): void {
  const { outcome, why } = report;
  const { removed, kept, left, emptied } = wiped;
  if (outcome === "done") events.wiped(device, nonce, removed.length, kept.length, left, emptied);
  else events.wipeFailed(device, nonce, outcome, why, removed.length);
  for (const { segment, why: reason } of kept)
    if (reason === "changed") events.wipeChanged(segment, device, nonce);
  const stuck = kept.filter((one) => one.stuck).length;
  if (stuck > 0) events.wipeStuck(device, nonce, stuck);
}

/** Forgets what was settled long ago, and removes what a crash left of orders that are settled. */
async function tidy(database: Database, { orders }: Reports, now: Instant): Promise<void> {
  await forgetWipes(database, instant(Math.max(0, now - REMEMBERED_MS)));
  for (const name of await namesIn(orders)) {
    const [, nonce] = /^([0-9a-f]{32})\.order(?:\.partial)?$/.exec(name) ?? [];
    if (nonce !== undefined && typeof (await toldOfWipe(database, nonce)) === "string")
      await rm(join(orders, name), { force: true });
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw diskError(error, "looking for orders");
  }
}

async function clear(reports: Reports, { nonce }: OpenWipe): Promise<void> {
  await clearOrder(reports, nonce);
  step("wipe.cleared");
}

/** How long a helper that began in time may still be reading. */
function workMs({ bytes }: OpenWipe): number {
  return PATIENCE_MS + (bytes / SLOWEST_BYTES_PER_SECOND) * SECOND_MS;
}
