import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { diskError } from "#base/disk-errors";
import { syncDirectory } from "#base/durable";
import { systemCode } from "#base/errors";
import { step } from "#base/step";
import { type Clock, every, SECOND_MS } from "#base/time";
import { closeSweep } from "../storage/catalog/batches.ts";
import { evicting, markEvictable, recordEvicted, spoolBytes } from "../storage/catalog/copies.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { diskBytes, freeBytes, type Spool, segmentPath } from "../storage/spool/spool.ts";
import type { Events } from "./events.ts";
import { steady } from "./steady.ts";

/** How much footage the ring may take, and what must stay free on its disk. */
export interface RingLimits {
  readonly limitBytes: number;
  readonly keepFreeBytes: number;
}

/** Makes room for bytes that are about to come; false when there is none to be made. */
export type MakeRoom = (bytes: number) => Promise<boolean>;

const LOOK_EVERY_MS = 10 * SECOND_MS;

/** Keeps this share of the limit free ahead of need, so that footage never waits for room. */
const AHEAD = 0.02;

/** Overwrites the oldest stored footage before the room is needed (AR-27), until the signal aborts. */
export async function ring(
  clock: Clock,
  events: Events,
  makeRoom: MakeRoom,
  limits: RingLimits,
  signal: AbortSignal,
): Promise<void> {
  const ahead = Math.round(limits.limitBytes * AHEAD);
  const turn = steady(clock, events, "ring");
  let full = false;
  for await (const _ of every(clock, LOOK_EVERY_MS, signal)) {
    await turn(async () => {
      const room = await makeRoom(ahead);
      if (!room && !full) events.spoolFull(ahead);
      full = !room;
    });
  }
}

/**
 * The one way room is made: marks the oldest stored, unheld spool copies, unlinks them, records it.
 * Calls queue. What a crash left marked is finished first.
 */
export function roomMaker(
  clock: Clock,
  events: Events,
  database: Database,
  spool: Spool,
  limits: RingLimits,
): MakeRoom {
  let tail: Promise<unknown> = Promise.resolve();

  async function missingBytes(wanted: number): Promise<number> {
    const overLimit = (await spoolBytes(database)) + wanted - limits.limitBytes;
    const underFloor = limits.keepFreeBytes + wanted - (await freeBytes(spool));
    return Math.max(overLimit, underFloor);
  }

  async function make(wanted: number): Promise<boolean> {
    await unlinkMarked();
    // What no ring could hold must not empty this one.
    if (wanted > limits.limitBytes) return false;
    if (wanted + limits.keepFreeBytes > (await diskBytes(spool))) return false;
    for (;;) {
      const missing = await missingBytes(wanted);
      if (missing <= 0) return true;
      const marked = await markEvictable(database, clock.now(), missing);
      if (marked.length === 0) return false;
      step("ring.marked");
      await unlinkMarked();
    }
  }

  async function unlinkMarked(): Promise<void> {
    const leaving = await evicting(database);
    if (leaving.length === 0) return;
    for (const { id, arrivedAt } of leaving) {
      await unlinkCopy(segmentPath(spool, id, arrivedAt));
      step("ring.unlinked");
    }
    await recordEvicted(
      database,
      clock.now(),
      leaving.map(({ id }) => id),
    );
    await closeSweep(database, "evicted", clock.now());
    step("ring.recorded");
    events.evicted(leaving.length);
  }

  return (bytes) => {
    const turn = tail.then(() => make(bytes));
    tail = turn.catch(() => undefined);
    return turn;
  };
}

async function unlinkCopy(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
    await syncDirectory(dirname(path));
  } catch (error) {
    // No such day: then no such file either.
    if (systemCode(error) === "ENOENT") return;
    throw diskError(error, "making room");
  }
}
