import { type Clock, DAY_MS, HOUR_MS, instant, MINUTE_MS } from "#base/time";
import { spoolBytes } from "../storage/catalog/evict.ts";
import { recordedBytes, unstoredBytes } from "../storage/catalog/room-left.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { freeBytes, type Spool } from "../storage/spool/spool.ts";
import type { RingLimits } from "./ring.ts";

/** How much room there is for footage that the vault does not have. What it has may be overwritten, and counts as room. */
export interface RoomLeft {
  readonly leftBytes: number;
  /** What came in on the fuller of the last two days: bodycams bring theirs at the end of a shift. */
  readonly bytesPerHour: number;
}

export type AskRoomLeft = () => Promise<RoomLeft>;

const RECKON_EVERY_MS = 10 * MINUTE_MS;
const COUNT_EVERY_MS = HOUR_MS;

/** Hours until the spool takes nothing more if the vault takes nothing; undefined while there is room and nothing comes in. */
export function hoursLeft({ leftBytes, bytesPerHour }: RoomLeft): number | undefined {
  // On a full disk nothing comes in either.
  if (leftBytes <= 0) return 0;
  return bytesPerHour > 0 ? leftBytes / bytesPerHour : undefined;
}

/** Makes the function that reckons it; the reckoning is at most ten minutes old, and what comes in is counted hourly. */
export function openRoomLeft(
  clock: Clock,
  database: Database,
  spool: Spool,
  { limitBytes, keepFreeBytes }: RingLimits,
): AskRoomLeft {
  const perHour = atMostOnce(clock, COUNT_EVERY_MS, async () => {
    const now = clock.now();
    const days = [0, 1].map((ago) => now - ago * DAY_MS);
    const bytes: number[] = [];
    for (const until of days)
      bytes.push(await recordedBytes(database, instant(until - DAY_MS), instant(until)));
    return Math.max(...bytes) / (DAY_MS / HOUR_MS);
  });
  return atMostOnce(clock, RECKON_EVERY_MS, async () => {
    const unstored = await unstoredBytes(database);
    const inRing = await spoolBytes(database);
    const onDisk = (await freeBytes(spool)) + Math.max(0, inRing - unstored) - keepFreeBytes;
    return {
      leftBytes: Math.min(limitBytes - unstored, onDisk),
      bytesPerHour: await perHour(),
    };
  });
}

/** What `read` gave at most `periodMs` ago. A failure is not remembered. */
function atMostOnce<T>(clock: Clock, periodMs: number, read: () => Promise<T>): () => Promise<T> {
  let known: { readonly value: T; readonly atMs: number } | undefined;
  return async () => {
    if (known === undefined || clock.uptimeMs() - known.atMs >= periodMs)
      known = { value: await read(), atMs: clock.uptimeMs() };
    return known.value;
  };
}
