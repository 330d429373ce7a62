import { type Clock, DAY_MS, plus } from "#base/time";
import { readPolicy } from "../../config/load.ts";
import { holdFootage } from "../../daemon/desk/hold.ts";
import { releaseHold } from "../../daemon/desk/release.ts";
import { openStation, readChain, type Station } from "../../daemon/desk/station.ts";
import type { Target } from "../../daemon/desk/targets.ts";

// What the desk decides in a life that is cut off anywhere: once, for a start after a crash finds in the
// chain what was decided.

/** The hold that the desk put on it, where it did. */
async function holdOn(station: Station, { id }: Target, signal: AbortSignal) {
  const commands = (await readChain(station, signal)).map(({ entry }) => entry.command);
  const holds = commands.flatMap((command) => (command.kind === "hold" ? [command] : []));
  return holds.find(({ segments }) => segments[0]?.id === id)?.hold;
}

export async function isReleased(desk: string, signal: AbortSignal): Promise<boolean> {
  await using station = await openStation(desk);
  const chain = await readChain(station, signal);
  return chain.some(({ entry }) => entry.command.kind === "release");
}

/** Holds each of them, in a hold of its own. */
export async function holdBoth(
  clock: Clock,
  desk: string,
  segments: readonly Target[],
  signal: AbortSignal,
): Promise<void> {
  await using station = await openStation(desk);
  const policy = await readPolicy("den-haag");
  for (const segment of segments) {
    if ((await holdOn(station, segment, signal)) === undefined)
      await holdFootage(clock, station, policy, requestFor(clock, segment), signal);
  }
}

export async function releaseOne(
  clock: Clock,
  desk: string,
  segment: Target,
  signal: AbortSignal,
): Promise<void> {
  if (await isReleased(desk, signal)) return;
  await using station = await openStation(desk);
  const hold = await holdOn(station, segment, signal);
  if (hold) await releaseHold(clock, station, hold, signal);
}

function requestFor(clock: Clock, segment: Target) {
  return {
    incident: "2026-1",
    purpose: "aangifte",
    ground: "aangifte",
    reference: "PL-1",
    reason: "test",
    reviewAt: plus(clock.now(), 60 * DAY_MS),
    segments: [segment],
  };
}
