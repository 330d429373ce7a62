import { BewaardError } from "#base/errors";
import type { HoldId, SegmentId } from "#base/ids";
import type { Clock } from "#base/time";
import { lift } from "./hold.ts";
import { appendEntry, demoOnly, readChain, type Station } from "./station.ts";

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
  const chain = await readChain(station, signal);
  const released = new Set<string>([hold]);
  for (const { entry } of chain) {
    if (entry.command.kind === "release") released.add(entry.command.hold);
  }
  const holds = chain.flatMap(({ entry }) =>
    entry.command.kind === "hold" ? [entry.command] : [],
  );
  const mine = holds.find((one) => one.hold === hold);
  if (!mine) {
    throw new BewaardError("DESK_NOT_FOUND", `geen veiligstelling ${hold} / no such hold`);
  }
  await appendEntry(clock, station, { kind: "release", hold }, signal);
  const others = holds.filter((one) => !released.has(one.hold)).flatMap((one) => one.segments);
  const free = mine.segments.filter(({ id }) => !others.some((other) => other.id === id));
  await lift(station, free, signal);
  return free.map(({ id }) => id);
}
