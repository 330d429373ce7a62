import { atMostEvery } from "#base/at-most-every";
import { BewaardError } from "#base/errors";
import { type Clock, HOUR_MS, SECOND_MS } from "#base/time";
import type { CardRecord } from "../../drivers/bodycam/card-record.ts";
import { sleepOrHint } from "../../drivers/bodycam/look-again.ts";
import type { Events } from "../events.ts";
import type { DockCore } from "./dock-core.ts";
import { type Docking, type Dockings, type Open, openDockings } from "./dockings.ts";
import { joinSlots, type Occupied, type PairedCard, type SlotDevice } from "./join-slots.ts";
import { openPairings, type PairingsOf } from "./known-pairings.ts";
import { openSideWork } from "./side-work.ts";
import type { SlotBoard } from "./slot-board.ts";
import { type OpenCard, workCard } from "./work-card.ts";

/** What this machine shows of its slots. */
export interface Ground {
  /** What is plugged in. Nothing where the kernel has no USB. */
  readonly devices: () => Promise<readonly SlotDevice[]>;
  /** What the root helper wrote of cards. */
  readonly records: () => Promise<readonly CardRecord[]>;
  /** Yields when something was plugged in or out: to look at once. */
  readonly hints: (signal: AbortSignal) => AsyncIterable<void>;
}

const LOOK_EVERY_MS = 2 * SECOND_MS;
/** Where a hint told of what came last: one may be missed all the same. */
const LOOK_SELDOM_MS = 10 * SECOND_MS;
const LOOK_WHILE_DOCKED_MS = SECOND_MS;
/** A profile that cannot be read is one that somebody is writing. */
const OPEN_AGAIN_MS = 10 * SECOND_MS;

/**
 * Watches the slots and works on every card that is in one, side by side, until the signal aborts. What is
 * there now is looked at anew each time; a hint only says when. A camera may be pulled out at any moment:
 * its docking ends, and the next one, in whatever slot, goes on where this one was.
 */
export async function runSlots(
  clock: Clock,
  events: Events,
  core: DockCore,
  ground: Ground,
  open: Open,
  board: SlotBoard,
  signal: AbortSignal,
): Promise<void> {
  const hint = { wake: (): void => undefined, came: false };
  let areHinted = false;
  const work = openSideWork(() => hint.wake());
  const hourly = atMostEvery(clock, HOUR_MS);
  const look = looker(clock, ground, openPairings(clock, core), signal);
  const dockings = openDockings(clock, board);
  const stop = new AbortController();
  work.start("hints", () => heed(ground.hints(AbortSignal.any([signal, stop.signal])), hint));
  try {
    while (!signal.aborted) {
      const woken = Promise.withResolvers<void>();
      hint.wake = () => woken.resolve();
      work.check();
      const [wasEmpty, wasHinted] = [!dockings.any(), hint.came];
      hint.came = false;
      try {
        dockings.follow(await look());
      } catch (error) {
        if (!(error instanceof BewaardError)) throw error;
        if (hourly(error.code)) events.slotsUnseen(error);
      }
      dockings.progress();
      for (const docking of dockings.due()) {
        work.start(docking.id, () =>
          workOn(clock, events, core, board, open, dockings, docking, hourly, signal),
        );
      }
      if (wasEmpty && dockings.any()) areHinted = wasHinted || hint.came;
      const emptyMs = areHinted ? LOOK_SELDOM_MS : LOOK_EVERY_MS;
      const waitMs = dockings.any() ? LOOK_WHILE_DOCKED_MS : emptyMs;
      await sleepOrHint(clock, waitMs, woken.promise, signal);
    }
  } finally {
    stop.abort();
    dockings.end();
    await work.ended();
  }
  work.check();
}

/** Works on the card of a docking once, and notes when to do so again. */
async function workOn(
  clock: Clock,
  events: Events,
  core: DockCore,
  board: SlotBoard,
  open: Open,
  dockings: Dockings,
  docking: Docking,
  sayNow: (what: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const { card } = docking;
  if (card === undefined) return;
  docking.isWorking = true;
  const either = AbortSignal.any([signal, card.stop.signal]);
  try {
    card.open ??= await openedOr(board, open, docking, card);
    const again = card.open
      ? await workCard(events, core, board, card.open, sayNow, either)
      : OPEN_AGAIN_MS;
    // Somebody else has ended it, and said so: it is gone, or is not to be read any more.
    if (either.aborted) return;
    if (again === "gone") dockings.spend(docking);
    else docking.dueAtMs = clock.uptimeMs() + again;
  } finally {
    docking.isWorking = false;
  }
}

/** Opens a card; undefined, and its slot says so, where its profile cannot be read. */
async function openedOr(
  board: SlotBoard,
  open: Open,
  docking: Docking,
  card: PairedCard,
): Promise<OpenCard | undefined> {
  try {
    return await open(docking, card);
  } catch (error) {
    if (!(error instanceof BewaardError)) throw error;
    board.tell(docking.slot, { kind: "failed", docking: docking.id, why: "profile-unread" });
    return undefined;
  }
}

async function heed(
  hints: AsyncIterable<void>,
  hint: { readonly wake: () => void; came: boolean },
): Promise<void> {
  for await (const _ of hints) {
    hint.came = true;
    hint.wake();
  }
}

/** Looks at devices, records and pairings. @throws BewaardError when one of them cannot be seen now. */
function looker(
  clock: Clock,
  ground: Ground,
  pairingsOf: PairingsOf,
  signal: AbortSignal,
): () => Promise<readonly Occupied[]> {
  return async () => {
    const devices = await ground.devices();
    const records = await ground.records();
    const pairings = await pairingsOf(records, signal);
    return joinSlots(clock.bootId(), devices, pairings.of, pairings.known);
  };
}
