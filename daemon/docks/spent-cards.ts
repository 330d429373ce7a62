import type { CardRecord } from "../../drivers/bodycam/card-record.ts";
import type { Occupied } from "./join-slots.ts";
import { recordKey } from "./same-card.ts";

/** Cards that are gone from what is still plugged in, by slot: they are not begun with again. */
export interface SpentCards {
  note(slot: string, plugged: string, record: CardRecord): void;
  /** Whether there is nothing in that slot but what such a card was in. */
  has(one: Occupied): boolean;
  forgetAllBut(slots: ReadonlyMap<string, unknown>): void;
}

export function openSpentCards(): SpentCards {
  const spent = new Map<string, { readonly plugged: string; readonly record: string }>();
  return {
    note: (slot, plugged, record) => void spent.set(slot, { plugged, record: recordKey(record) }),
    has({ slot, plugged, found }) {
      const gone = spent.get(slot);
      if (gone?.plugged !== plugged || found.kind === "refused") return false;
      return found.kind === "waiting" || recordKey(found.card.record) === gone.record;
    },
    forgetAllBut(slots) {
      for (const slot of spent.keys()) if (!slots.has(slot)) spent.delete(slot);
    },
  };
}
