import { type Clock, isoOf, SECOND_MS } from "#base/time";
import type { SlotNews } from "./dock-core.ts";
import { after, freeSlot, type Happening, type Slot } from "./slot-state.ts";

/** What every slot shows. Slots that had something in them stay on it, free, for as long as the process lives. */
export interface SlotBoard {
  /** Notes what happened in a slot, and returns what it shows now. */
  tell(slot: string, happening: Happening): Slot;
  read(slot: string): Slot;
  news(): readonly SlotNews[];
}

/** When reading began, to reckon how fast it goes. */
interface Began {
  readonly docking: string;
  readonly atMs: number;
  readonly bytesDone: number;
}

/** Less than this says nothing of how fast a card goes: its first files may be of a few bytes. */
const TELLING_BYTES = 16e6;
const TELLING_PART = 1 / 100;

/** `changed` is told of each slot whose state is another than it was. */
export function openSlotBoard(
  clock: Clock,
  changed: (name: string, now: Slot, before: Slot) => void,
): SlotBoard {
  const slots = new Map<string, Slot>();
  const began = new Map<string, Began>();
  /** By uptime: since when cameras may go, by slot. A wall clock may be set back between two of them. */
  const readyAt = new Map<string, number>();

  const read = (name: string): Slot => slots.get(name) ?? freeSlot(clock.now());

  function rate(name: string, slot: Slot): number {
    const start = began.get(name);
    if (start === undefined || slot.state !== "busy") return 0;
    const seconds = (clock.uptimeMs() - start.atMs) / SECOND_MS;
    return seconds > 0 ? Math.max(0, Math.round((slot.bytesDone - start.bytesDone) / seconds)) : 0;
  }

  /** Null while too little was read to tell, and when nothing is left to be read. */
  function secondsLeft(name: string, { bytes, bytesDone }: Slot, perSecond: number): number | null {
    const seen = bytesDone - (began.get(name)?.bytesDone ?? bytesDone);
    const isTelling = seen >= Math.min(TELLING_BYTES, bytes * TELLING_PART);
    if (perSecond === 0 || !isTelling || bytesDone >= bytes) return null;
    return Math.ceil((bytes - bytesDone) / perSecond);
  }

  return {
    read,
    tell(name, happening) {
      const before = read(name);
      const now = after(before, happening, clock.now());
      if (now === before) return now;
      slots.set(name, now);
      if (now.readySince === null) readyAt.delete(name);
      else if (!readyAt.has(name)) readyAt.set(name, clock.uptimeMs());
      if (happening.kind === "counted" && begins(began.get(name), before, happening)) {
        const { docking, counted } = happening;
        began.set(name, { docking, atMs: clock.uptimeMs(), bytesDone: counted.bytesDone });
      }
      if (now.state !== before.state || now.why !== before.why || now.docking !== before.docking)
        changed(name, now, before);
      return now;
    },
    news: () =>
      [...slots]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, slot]) => {
          const bytesPerSecond = rate(name, slot);
          return {
            slot: name,
            number: slot.number,
            state: slot.state,
            why: slot.why,
            files: slot.files,
            filesDone: slot.filesDone,
            bytes: slot.bytes,
            bytesDone: slot.bytesDone,
            bytesPerSecond,
            secondsLeft: secondsLeft(name, slot, bytesPerSecond),
            hoursFree: slot.hoursFree,
            since: isoOf(slot.since),
            readySince: slot.readySince === null ? null : isoOf(slot.readySince),
            readyUptimeMs: readyAt.get(name) ?? null,
          };
        }),
  };
}

/** Whether reading begins now: of a docking, or anew in it because files are to be read once more. */
function begins(
  start: Began | undefined,
  before: Slot,
  { docking, counted }: Happening & { readonly kind: "counted" },
): boolean {
  return (
    start?.docking !== docking || before.state === "safe" || counted.bytesDone < start.bytesDone
  );
}
