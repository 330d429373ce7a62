import { type Clock, type Instant, isoOf } from "#base/time";
import type { SlotNews } from "../control/dock-questions.ts";
import type { Result } from "../control/protocol.ts";

/** What the dock last said of its slots. In memory: after a start it says so again within a second. */
export interface Board {
  readonly news: (slots: readonly SlotNews[]) => void;
  readonly read: () => Pick<Result<"docks">, "at" | "slots">;
}

export function openBoard(clock: Clock): Board {
  let newest: { readonly at: Instant; readonly slots: readonly SlotNews[] } | undefined;
  return {
    news(slots) {
      newest = { at: clock.now(), slots };
    },
    read: () => ({ at: newest ? isoOf(newest.at) : null, slots: [...(newest?.slots ?? [])] }),
  };
}
