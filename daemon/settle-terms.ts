import { type Clock, type Instant, instant } from "#base/time";
import { readDevice } from "../storage/catalog/devices.ts";
import {
  provisionalSegments,
  recordQuarantineTerm,
  recordTerm,
} from "../storage/catalog/provisional.ts";
import type { Segment } from "../storage/catalog/segments.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { dueFromArrival, judge, type Term } from "./term.ts";

/**
 * Reckons the terms again of what arrived while nobody had vouched for the time, once somebody has. In
 * the same start of the machine the arrival follows from uptime; after another start nothing is known of
 * it but that it is over, and it counts as now. Neither a clock that was behind destroys fresh footage,
 * nor one that was ahead keeps it too long (invariants 3 and 10).
 */
export async function settleTerms(clock: Clock, database: Database, term: Term): Promise<void> {
  const now = clock.now();
  await recordQuarantineTerm(database, dueFromArrival(now, term));
  for (;;) {
    const segments = await provisionalSegments(database, 500);
    for (const segment of segments) {
      const device = await database.transaction((sql) => readDevice(sql, segment.device));
      if (!device) throw new Error(`camera ${segment.device} has no row`);
      const { startedAt, timeSource: source, cameraClock } = segment;
      const recorded = { startedAt, source, clock: cameraClock };
      await recordTerm(
        database,
        now,
        segment.id,
        judge(recorded, device, arrivalOf(clock, segment), term),
      );
    }
    if (segments.length < 500) return;
  }
}

function arrivalOf(clock: Clock, { arrivedUptime }: Segment): Instant {
  if (arrivedUptime.bootId !== clock.bootId()) return clock.now();
  return instant(Math.max(0, clock.now() - Math.max(0, clock.uptimeMs() - arrivedUptime.ms)));
}
