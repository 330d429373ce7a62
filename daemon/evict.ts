import { lstat, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { atMostEvery } from "#base/at-most-every";
import { diskError } from "#base/disk-errors";
import { syncDirectory } from "#base/durable";
import { BewaardError, systemCode } from "#base/errors";
import type { SegmentId } from "#base/ids";
import { step } from "#base/step";
import { type Clock, HOUR_MS } from "#base/time";
import { type LeavingCopy, leavingCopies, recordEvicted } from "../storage/catalog/evict.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { type Spool, segmentPath } from "../storage/spool/spool.ts";
import type { Events } from "./events.ts";

/** Unlinks every copy that is marked and records it; returns the bytes that are free again. */
export type Evict = () => Promise<number>;

/**
 * Makes the one function that takes marked copies out of the ring. A file that the disk will not let go
 * stays marked for the next time and keeps no other from leaving.
 */
export function evictor(clock: Clock, events: Events, database: Database, spool: Spool): Evict {
  const hourly = atMostEvery(clock, HOUR_MS);

  return async () => {
    let freed = 0;
    let after = "";
    for (;;) {
      const leaving = await leavingCopies(database, after);
      const gone: LeavingCopy[] = [];
      const spared: SegmentId[] = [];
      for (const [folder, copies] of byDay(spool, leaving)) {
        try {
          const kept = await unlinkDay(spool, folder, copies);
          spared.push(...kept);
          gone.push(...copies.filter(({ id }) => !kept.includes(id)));
        } catch (error) {
          const failure = diskError(error, "making room");
          if (!(failure instanceof BewaardError)) throw failure;
          if (hourly(folder)) events.evictDelayed(copies.length, failure);
        }
      }
      const ids = gone.map(({ id }) => id);
      if (ids.length + spared.length > 0) {
        await recordEvicted(database, clock.now(), ids, spared);
        step("ring.recorded");
        if (ids.length > 0) events.evicted(ids.length);
      }
      freed += gone.reduce((sum, { bytes }) => sum + bytes, 0);
      after = leaving.at(-1)?.id ?? "";
      if (after === "") return freed;
    }
  };
}

function byDay(
  spool: Spool,
  copies: readonly LeavingCopy[],
): ReadonlyMap<string, readonly LeavingCopy[]> {
  return Map.groupBy(copies, ({ id, arrivedAt }) => dirname(segmentPath(spool, id, arrivedAt)));
}

/** Unlinks the copies of one day and syncs once. Returns those that a hold has saved. */
async function unlinkDay(
  spool: Spool,
  folder: string,
  copies: readonly LeavingCopy[],
): Promise<readonly SegmentId[]> {
  const spared: SegmentId[] = [];
  for (const { id, arrivedAt, wanted } of copies) {
    const path = segmentPath(spool, id, arrivedAt);
    if (wanted && (await isThere(path))) spared.push(id);
    else await rm(path, { force: true });
  }
  try {
    await syncDirectory(folder);
  } catch (error) {
    // No such day: then no such file either.
    if (systemCode(error) !== "ENOENT") throw error;
  }
  step("ring.unlinked");
  return spared;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}
