import { BewaardError } from "#base/errors";
import type { HoldId, SegmentId } from "#base/ids";
import type { Clock } from "#base/time";
import { decided, free, liftFree } from "./decided.ts";
import { appendEntry, demoOnly, type Station } from "./station.ts";

/**
 * Releases a hold: its footage falls back under the term. On a demo site only.
 * @throws BewaardError DESK_FORBIDDEN, DESK_NOT_FOUND.
 */
export async function releaseHold(
  clock: Clock,
  station: Station,
  hold: HoldId,
  signal: AbortSignal,
): Promise<readonly SegmentId[]> {
  demoOnly(station, "Vrijgeven / Releasing");
  const { asked } = await decided(station, signal);
  const mine = asked.find((one) => one.id === hold);
  if (!mine) {
    throw new BewaardError("DESK_NOT_FOUND", `geen veiligstelling ${hold} / no such hold`);
  }
  await appendEntry(clock, station, { kind: "release", hold }, signal);
  const released = free(mine.segments, await decided(station, signal));
  await liftFree(station, released, signal);
  return released.map(({ id }) => id);
}
