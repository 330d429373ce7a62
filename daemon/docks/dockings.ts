import { type Clock, type Instant, MINUTE_MS, SECOND_MS } from "#base/time";
import { newDockingId } from "../new-id.ts";
import type { Found, Occupied, PairedCard } from "./join-slots.ts";
import { recordKey } from "./same-card.ts";
import type { SlotBoard } from "./slot-board.ts";
import { openSpentCards } from "./spent-cards.ts";
import type { OpenCard } from "./work-card.ts";

/** Makes a card that is there ready to be taken. @throws BewaardError CONFIG_… for its profile. */
export type Open = (
  docking: Pick<Docking, "slot" | "id" | "seenAt">,
  card: PairedCard,
) => Promise<OpenCard>;

/** One docking: from being seen to being gone. */
export interface Docking {
  readonly slot: string;
  readonly id: string;
  readonly plugged: string;
  readonly seenAt: Instant;
  /** By uptime. */
  readonly seenAtMs: number;
  card: DockedCard | undefined;
  isWorking: boolean;
  /** By uptime: when its card is to be worked on next. */
  dueAtMs: number;
}

interface DockedCard extends PairedCard {
  /** Ends all work on it. */
  readonly stop: AbortController;
  /** Undefined until its profile was read and its clock seen: that takes a while on a full card. */
  open: OpenCard | undefined;
}

/** What is docked now. */
export interface Dockings {
  /** Ends the dockings of what is gone, begins those of what came, and says which cards may be read. */
  follow(occupied: readonly Occupied[]): void;
  /** Those whose card is to be worked on now. */
  due(): readonly Docking[];
  /** The card of a docking is gone, though what it was in may still be plugged in. */
  spend(docking: Docking): void;
  /** Says on the board how far cards are that are being read. */
  progress(): void;
  any(): boolean;
  /** Stops all work. */
  end(): void;
}

/** The kernel takes a moment to notice that a camera is out, and its card may be gone before that. */
const LOST_PATIENCE_MS = 10 * SECOND_MS;
/** A disk was seen to come 0.7 to 2.2 s after its device, and its mount up to 6 s: after this none will. */
const RECORD_PATIENCE_MS = MINUTE_MS;

export function openDockings(clock: Clock, board: SlotBoard): Dockings {
  const dockings = new Map<string, Docking>();
  const spent = openSpentCards();

  function begin({ slot, plugged }: Pick<Occupied, "slot" | "plugged">): Docking {
    const id = newDockingId(clock.now());
    const seen = { seenAt: clock.now(), seenAtMs: clock.uptimeMs() };
    const docking = { slot, id, plugged, ...seen, card: undefined, isWorking: false, dueAtMs: 0 };
    dockings.set(slot, docking);
    return docking;
  }

  function end(docking: Docking): void {
    const { slot } = docking;
    stopCard(docking);
    board.tell(slot, { kind: "gone", docking: docking.id });
    dockings.delete(slot);
  }

  function stopCard(docking: Docking): void {
    const { slot, plugged, card } = docking;
    if (card) spent.note(slot, plugged, card.record);
    card?.stop.abort();
    docking.card = undefined;
  }

  /** Ends a docking of which all but the card may still be there: that slot is not free. */
  function lose(docking: Docking): void {
    stopCard(docking);
    const { slot, id } = docking;
    board.tell(slot, { kind: "lost", docking: id, as: begin(docking).id });
  }

  return {
    follow(occupied) {
      const now = new Map(occupied.map((one) => [one.slot, one]));
      for (const docking of dockings.values()) {
        const here = now.get(docking.slot);
        if (!isOver(docking, here)) continue;
        if (docking.card && here?.plugged === docking.plugged) lose(docking);
        else end(docking);
      }
      spent.forgetAllBut(now);
      for (const one of occupied) {
        if (spent.has(one)) {
          heedLost(clock, board, dockings.get(one.slot));
          continue;
        }
        const lost = dockings.get(one.slot);
        if (lost && isLost(board, lost)) end(lost);
        const docking = dockings.get(one.slot) ?? begin(one);
        board.tell(one.slot, { kind: "seen", docking: docking.id });
        heed(clock, board, docking, one.found);
      }
    },
    due: () =>
      [...dockings.values()].filter(
        ({ card, isWorking, dueAtMs }) => card && !isWorking && dueAtMs <= clock.uptimeMs(),
      ),
    spend(docking) {
      if (dockings.get(docking.slot) === docking) lose(docking);
    },
    progress() {
      for (const { card, isWorking } of dockings.values()) if (isWorking) card?.open?.progress();
    },
    any: () => dockings.size > 0,
    end: () => {
      for (const { card } of dockings.values()) card?.stop.abort();
    },
  };
}

/** It was begun for what is left where a card was. */
function isLost(board: SlotBoard, { slot, card }: Docking): boolean {
  return card === undefined && board.read(slot).why === "card-gone";
}

/** What is left in a slot without its card, and does not go: somebody must look. */
function heedLost(clock: Clock, board: SlotBoard, docking: Docking | undefined): void {
  if (docking === undefined || clock.uptimeMs() - docking.seenAtMs < LOST_PATIENCE_MS) return;
  board.tell(docking.slot, { kind: "failed", docking: docking.id, why: "card-gone" });
}

/** Does with a docking what may be done with what was found in its slot. */
function heed(clock: Clock, board: SlotBoard, docking: Docking, found: Found): void {
  const { slot, id } = docking;
  switch (found.kind) {
    case "waiting":
      if (clock.uptimeMs() - docking.seenAtMs < RECORD_PATIENCE_MS) return;
      board.tell(slot, { kind: "failed", docking: id, why: "no-record" });
      return;
    case "refused":
      docking.card?.stop.abort();
      docking.card = undefined;
      board.tell(slot, { kind: "failed", docking: id, why: found.why });
      return;
    case "card":
      if (docking.card) return;
      board.tell(slot, { kind: "recognised", docking: id, number: found.card.number });
      docking.card = { ...found.card, stop: new AbortController(), open: undefined };
      docking.dueAtMs = clock.uptimeMs();
      return;
    default:
      found satisfies never;
  }
}

/** Something else is in that slot, or nothing; or its card was mounted anew, or not any more. */
function isOver({ plugged, card }: Docking, now: Occupied | undefined): boolean {
  if (now?.plugged !== plugged) return true;
  if (card === undefined || now.found.kind === "refused") return false;
  return (
    now.found.kind === "waiting" || recordKey(now.found.card.record) !== recordKey(card.record)
  );
}
