import { openInTurn } from "#base/in-turn";
import { step } from "#base/step";
import { type Clock, every, SECOND_MS } from "#base/time";
import {
  type Mark,
  markSecured,
  markStored,
  markUnstored,
  spoolBytes,
} from "../storage/catalog/evict.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { diskBytes, freeBytes, type Spool } from "../storage/spool/spool.ts";
import type { Events } from "./events.ts";
import { evictor } from "./evict.ts";
import { steady } from "./steady.ts";

/** How much footage the ring may take, and what must stay free on its disk. */
export interface RingLimits {
  readonly limitBytes: number;
  readonly keepFreeBytes: number;
}

/**
 * Makes room for bytes that are about to come; false when there is none to be made. `urgent`: there is
 * no other place for them, so that footage the vault does not have yet may be overwritten.
 */
export type MakeRoom = (bytes: number, urgent: boolean) => Promise<boolean>;

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
      const room = await makeRoom(ahead, false);
      if (!room && !full) events.spoolFull(ahead);
      full = !room;
    });
  }
}

/**
 * The one way room is made, in the order of docs/design.md, procedure "Ring": each kind of copy is touched
 * only when there are none of the kind before it. Calls queue. What a crash left marked is finished first.
 * `mayDestroy` says whether un-stored footage may go at all: not while time is not trusted (invariant 10).
 */
export function roomMaker(
  clock: Clock,
  events: Events,
  database: Database,
  spool: Spool,
  limits: RingLimits,
  mayDestroy: () => Promise<boolean>,
): MakeRoom {
  const evict = evictor(clock, events, database, spool);
  const inTurn = openInTurn();

  const overwrite: Mark = async (_, at, bytes) => {
    const segments = await markUnstored(database, at, bytes);
    if (segments.length === 0) return 0;
    step("ring.overwritten");
    events.overwritten(segments.map(({ id }) => id));
    return segments.length;
  };

  async function make(wanted: number, urgent: boolean): Promise<boolean> {
    await evict();
    // What no ring could hold must not empty this one.
    if (wanted > limits.limitBytes) return false;
    if (wanted + limits.keepFreeBytes > (await diskBytes(spool))) return false;
    // Measured once: a file system may give back later what was unlinked, and nothing must be
    // overwritten for want of patience.
    const underFloor = limits.keepFreeBytes + wanted - (await freeBytes(spool));
    let freed = 0;
    const last = urgent && (await mayDestroy()) ? [overwrite] : [];
    for (const mark of [markStored, markSecured, ...last]) {
      for (;;) {
        const overLimit = (await spoolBytes(database)) + wanted - limits.limitBytes;
        const missing = Math.max(overLimit, underFloor - freed);
        if (missing <= 0) return true;
        const marked = await mark(database, clock.now(), missing);
        if (marked === 0) break;
        step("ring.marked");
        freed += await evict();
      }
    }
    return false;
  }

  return (bytes, urgent) => inTurn(() => make(bytes, urgent));
}
