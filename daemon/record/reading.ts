import { BewaardError } from "#base/errors";
import type { Clock } from "#base/time";
import type { ServedFfmpeg } from "../../config/served.ts";
import { type Door, openSharedDoor, ownDoor } from "../../drivers/camera/door.ts";
import type { StartFfmpeg } from "../../drivers/camera/ffmpeg.ts";
import { servesFfmpeg } from "../../drivers/camera/served-ffmpeg.ts";
import { spawnsFfmpeg } from "../../drivers/camera/spawned-ffmpeg.ts";

/** How the gates of cameras are read. */
export interface Reading {
  readonly start: StartFfmpeg;
  /** Where the ffmpegs that it starts come to. */
  readonly door: Door;
}

/** Each ffmpeg is a process of ours, and each gate has a port of its own. */
export const READ_BY_OURSELVES: Reading = { start: spawnsFfmpeg(), door: ownDoor };

/**
 * By the ffmpegs that systemd starts, where the unit says so (docs/decisions/0033); else by processes of ours.
 * `sentAway` is called for each who came to the gates they share and had to go unheard, for there were too many.
 * @throws BewaardError TOOL_MISSING when the unit says so, and did not bring where their gates are to be.
 */
export async function openReading(
  clock: Clock,
  served: ServedFfmpeg | undefined,
  sentAway: () => void,
): Promise<Reading & AsyncDisposable> {
  if (served === undefined)
    return { ...READ_BY_OURSELVES, [Symbol.asyncDispose]: async () => undefined };
  if (served.gate === undefined) {
    const message =
      "the gate's socket was not handed over: systemctl status 'bewaard-gate*.socket'";
    throw new BewaardError("TOOL_MISSING", message);
  }
  const door = await openSharedDoor(clock, { fd: served.gate }, sentAway);
  return {
    start: servesFfmpeg(served.socket),
    door,
    [Symbol.asyncDispose]: () => door[Symbol.asyncDispose](),
  };
}
