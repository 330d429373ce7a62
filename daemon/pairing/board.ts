import { type Clock, type Instant, isoOf } from "#base/time";
import type { Bodycam } from "../../storage/catalog/bodycams.ts";
import type { SlotNews } from "../control/dock-questions.ts";
import type { Result } from "../control/protocol.ts";
import { NEWS_EVERY_MS } from "../docks/tell-slots.ts";

/**
 * What the dock last said of its slots. In memory: after a start it says so again within a second. A dock that
 * has not been heard for a while says nothing any more: nobody may read that a camera is safe of the one before it.
 */
export interface Board {
  readonly news: (slots: readonly SlotNews[]) => void;
  readonly read: () => Pick<Result<"docks">, "at" | "slots">;
  /** Resolves when a camera comes into a slot or leaves it, is recognised, or cannot be read. */
  readonly moved: () => Promise<void>;
  /** Notes which paired bodycams are in no slot, as core has just looked. */
  readonly miss: (bodycams: readonly Bodycam[]) => void;
  /** Those; undefined before the first look. */
  readonly missing: () => readonly Bodycam[] | undefined;
}

/** A dock that does well speaks twice as often, however busy it is. */
const BELIEVED_MS = 2 * NEWS_EVERY_MS;

export function openBoard(clock: Clock): Board {
  let newest:
    | { readonly at: Instant; readonly atMs: number; readonly slots: readonly SlotNews[] }
    | undefined;
  let missing: readonly Bodycam[] | undefined;
  let move = Promise.withResolvers<void>();
  return {
    news(slots) {
      const before = shownBy(newest?.slots ?? []);
      newest = { at: clock.now(), atMs: clock.uptimeMs(), slots };
      if (shownBy(slots) === before) return;
      move.resolve();
      move = Promise.withResolvers<void>();
    },
    moved: () => move.promise,
    miss(bodycams) {
      missing = bodycams;
    },
    missing: () => missing,
    read() {
      if (newest === undefined) return { at: null, slots: [] };
      const isOld = clock.uptimeMs() - newest.atMs > BELIEVED_MS;
      const slots = isOld ? newest.slots.map(unheard) : [...newest.slots];
      return { at: isoOf(newest.at), slots };
    },
  };
}

/** Who is where, without how far it is. */
function shownBy(slots: readonly SlotNews[]): string {
  return JSON.stringify(
    slots.map(({ slot, number, state, why }) => [
      slot,
      number,
      state === "free" || state === "failed" ? [state, why] : "in",
    ]),
  );
}

function unheard(news: SlotNews): SlotNews {
  const unready = { readySince: null, readyUptimeMs: null };
  const unknown = { bytesPerSecond: 0, secondsLeft: null, hoursFree: null, ...unready };
  return { ...news, ...unknown, state: "failed", why: "dock-away" };
}
