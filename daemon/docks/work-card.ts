import { statfs } from "node:fs/promises";
import { BewaardError, systemCode } from "#base/errors";
import { MINUTE_MS, SECOND_MS } from "#base/time";
import type { Events } from "../events.ts";
import type { DockCore } from "./dock-core.ts";
import type { PairedCard } from "./join-slots.ts";
import type { ClockSaid, SetClock } from "./set-clock.ts";
import type { SlotBoard } from "./slot-board.ts";
import type { Slot, SlotState } from "./slot-state.ts";
import { type SlotWhy, whyOf } from "./slot-why.ts";
import type { Look, TakeCard } from "./take-card.ts";

/** A docked card that is being read. */
export interface OpenCard extends PairedCard {
  readonly slot: string;
  readonly docking: string;
  readonly take: TakeCard;
  /** Says on the board how far it is within a file: one may take minutes. */
  readonly progress: () => void;
  readonly setClock: SetClock;
  /** Whether a card on the same root port is being read, or waits for that. */
  readonly isCableBusy: () => boolean;
  /** How much an hour of footage is, by its profile, else by its files; null where neither tells. */
  readonly bytesPerHour: (files: Look["files"]) => Promise<number | null>;
}

/** How soon a card is looked at again. Core adopts within a second, and within five when it was quiet. */
const AGAIN_AFTER_MS: Readonly<Record<SlotState, number>> = {
  free: 0,
  busy: 2 * SECOND_MS,
  safe: 10 * SECOND_MS,
  done: MINUTE_MS,
  failed: 30 * SECOND_MS,
};

/** Of all time the most that goes into looking at a card on which nothing is expected: one part in so many. */
const LOOKED_AT_PART = 10;
/** But what may be emptied by now is to be seen within this. */
const LOOKED_AT_WITHIN_MS = 10 * MINUTE_MS;

const SETTING_AGAIN_MS = 2 * SECOND_MS;

/**
 * Works on a card once: takes what is new on it, says what its slot shows, and, when it is safe, asks core what
 * of it may go. Returns when to do so again, in ms, or `gone` for a card that was pulled out.
 */
export async function workCard(
  events: Events,
  core: DockCore,
  board: SlotBoard,
  card: OpenCard,
  sayNow: (what: string) => boolean,
  signal: AbortSignal,
): Promise<number | "gone"> {
  const { slot, docking, number } = card;
  try {
    const look = await card.take(signal);
    if (look === "gone") return "gone";
    // Before its card is wiped: what is empty is done, and is not written to any more.
    const refusals = { events, sayNow, signal };
    const said = isKept(look) ? await clockSaid(card, refusals) : undefined;
    if (said?.hold && isHeld(board, card, look)) return SECOND_MS;
    const now = told(board, card, look);
    if (now.state === "safe") await wipe(core, board, card, look, now, said?.why ?? null, refusals);
    else if (now.state === "done")
      board.tell(slot, { kind: "kept", docking, hoursFree: now.hoursFree, why: said?.why ?? null });
    return said?.why === "setting-clock" ? SETTING_AGAIN_MS : againAfter(now.state, look);
  } catch (error) {
    if (signal.aborted) return "gone";
    if (!(error instanceof BewaardError)) throw error;
    if (sayNow(`${error.code} ${slot}`)) events.dockDelayed(number, error);
    return AGAIN_AFTER_MS[refused(board, card, error).state];
  }
}

/** A card of 100,000 files takes eleven seconds to look at: it is not looked at all the time. */
function againAfter(state: SlotState, { listedMs }: Look): number {
  const times = state === "busy" ? 1 : LOOKED_AT_PART;
  return Math.max(AGAIN_AFTER_MS[state], Math.min(times * listedMs, LOOKED_AT_WITHIN_MS));
}

function isKept({ counted, left }: Look): boolean {
  return left === undefined && counted.adopted === counted.files;
}

/** Says of a card that would be called safe, and was not yet, that it is being written to. */
function isHeld(board: SlotBoard, { slot, docking }: OpenCard, { counted }: Look): boolean {
  if (board.read(slot).state !== "busy") return false;
  board.tell(slot, { kind: "counted", docking, counted, whole: false, left: null });
  board.tell(slot, { kind: "delayed", docking, why: "setting-clock" });
  return true;
}

/** Whom to tell what core does not do now. */
interface Refusals {
  readonly events: Events;
  readonly sayNow: (what: string) => boolean;
  readonly signal: AbortSignal;
}

/**
 * Whether it is more than that core is away. What was kept is kept, whatever comes of the card's clock and its
 * wiping: the camera may go. Rethrows what no core answers.
 */
function isRefused(
  { slot, number }: OpenCard,
  { events, sayNow, signal }: Refusals,
  error: unknown,
): boolean {
  if (signal.aborted || !(error instanceof BewaardError)) throw error;
  if (sayNow(`${error.code} ${slot}`)) events.dockDelayed(number, error);
  return whyOf(error.code) !== "core-away";
}

async function clockSaid(card: OpenCard, refusals: Refusals): Promise<ClockSaid> {
  try {
    return await card.setClock();
  } catch (error) {
    return { why: isRefused(card, refusals, error) ? "clock-not-set" : null, hold: false };
  }
}

/** Has core say what of a safe card may go. What its clock lacks is said first: the rest mostly mends itself. */
async function wipe(
  core: DockCore,
  board: SlotBoard,
  card: OpenCard,
  { files, others, readAgain }: Look,
  now: Slot,
  ofClock: ClockSaid["why"],
  refusals: Refusals,
): Promise<void> {
  const { slot, docking, record, folder, bytesPerHour } = card;
  const hoursFree = await hoursOf(folder, await bytesPerHour(files));
  const tell = (why: SlotWhy | null): void =>
    void board.tell(slot, { kind: "kept", docking, hoursFree, why: ofClock ?? why });
  tell(now.why);
  // The second read would take from the first reads of others: what they share, no priority divides.
  if (card.isCableBusy()) {
    tell("waits-for-cable");
    return;
  }
  try {
    tell(await core.wipe({ docking, record, files, others, readAgain }));
  } catch (error) {
    if (isRefused(card, refusals, error)) tell("not-emptied");
  }
}

function told(board: SlotBoard, { slot, docking }: OpenCard, look: Look): Slot {
  const { counted, left } = look;
  const why = left === undefined ? null : whyOf(left);
  // Core that is away for a moment is nothing to call for: the card waits.
  const stays = why === "core-away" ? null : why;
  const whole = left === undefined;
  const now = board.tell(slot, { kind: "counted", docking, counted, whole, left: stays });
  return why === "core-away" ? board.tell(slot, { kind: "delayed", docking, why }) : now;
}

function refused(board: SlotBoard, { slot, docking }: OpenCard, { code }: BewaardError): Slot {
  const why = whyOf(code);
  if (why === "core-away") return board.tell(slot, { kind: "delayed", docking, why });
  return board.tell(slot, { kind: "failed", docking, why });
}

/** How many hours of footage fit on the card beside what is on it. */
async function hoursOf(folder: string, bytesPerHour: number | null): Promise<number | null> {
  if (bytesPerHour === null) return null;
  try {
    const { bavail, bsize } = await statfs(folder);
    return Math.floor((bavail * bsize) / bytesPerHour);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return null;
  }
}
