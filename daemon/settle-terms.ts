import { CLOCK_SLACK_MS } from "#base/term";
import { type Clock, type Instant, instant } from "#base/time";
import { readDevice } from "../storage/catalog/devices.ts";
import {
  provisionalSegments,
  recordQuarantineTerm,
  recordTerm,
} from "../storage/catalog/provisional.ts";
import type { Segment } from "../storage/catalog/segment-row.ts";
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
      const arrivedAt = arrivalOf(clock, segment);
      const offsetMs = offsetOf(clock, segment);
      const recorded = { startedAt, source, clock: { ...cameraClock, offsetMs } };
      await recordTerm(database, now, segment.id, judge(recorded, device, arrivedAt, term));
    }
    if (segments.length < 500) return;
  }
}

/**
 * The camera's clock less ours, in ms, as ours is now known to have been: it was seen against a clock that
 * nobody had vouched for, and two that are wrong may agree. After another start nobody knows what ours was,
 * and that they agreed says nothing; that they did not says that one of them was wrong.
 */
function offsetOf(clock: Clock, { cameraClock, arrivedAt, arrivedUptime }: Segment): number | null {
  const { offsetMs } = cameraClock;
  if (offsetMs === null) return null;
  if (arrivedUptime.bootId !== clock.bootId()) {
    return Math.abs(offsetMs) <= CLOCK_SLACK_MS ? null : offsetMs;
  }
  const wallLessUptimeMs = clock.now() - clock.uptimeMs();
  return offsetMs + (arrivedAt - arrivedUptime.ms) - wallLessUptimeMs;
}

function arrivalOf(clock: Clock, { arrivedUptime }: Segment): Instant {
  if (arrivedUptime.bootId !== clock.bootId()) return clock.now();
  return instant(Math.max(0, clock.now() - Math.max(0, clock.uptimeMs() - arrivedUptime.ms)));
}
