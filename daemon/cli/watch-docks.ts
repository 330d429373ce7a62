import { BewaardError } from "#base/errors";
import { printableJson, printableText } from "#base/printable";
import { type Clock, every, SECOND_MS } from "#base/time";
import type { Ask } from "../control/client.ts";
import type { SlotNews } from "../control/dock-questions.ts";
import { openBars } from "./progress.ts";
import { firstReady, leftOf, shownSlot, slotSays, unanswered, vacated } from "./shown-slots.ts";

/** Shows the slots, each second, as they are then. */
export interface Screen {
  show(slots: readonly SlotNews[]): void;
  end(): void;
}

/**
 * Shows what the slots do until the signal aborts. Core that goes away while somebody looks on comes back: until
 * then nobody may read what it said before. A slot of which a dock that was started again says nothing is free.
 * @throws BewaardError CONTROL_UNREACHABLE (transient) when no core answers at first.
 */
export async function watchDocks(
  clock: Clock,
  ask: Ask,
  screen: Screen,
  signal: AbortSignal,
): Promise<void> {
  let shown: readonly SlotNews[] | undefined;
  try {
    for await (const _ of every(clock, SECOND_MS, signal)) {
      shown = await slotsNow(ask, shown);
      screen.show(shown);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    screen.end();
  }
}

async function slotsNow(
  ask: Ask,
  before: readonly SlotNews[] | undefined,
): Promise<readonly SlotNews[]> {
  try {
    const { slots } = await ask("docks", {});
    const gone = (before ?? []).filter((one) => !slots.some(({ slot }) => slot === one.slot));
    return [...slots, ...gone.map(vacated)];
  } catch (error) {
    if (before === undefined || !(error instanceof BewaardError && error.transient)) throw error;
    return before.map(unanswered);
  }
}

/** A JSON object a line, `{slots, first}`, each time that anything has changed. */
export function jsonScreen(write: (text: string) => void): Screen {
  return onChange((slots) => {
    const first = firstReady(slots)?.slot ?? null;
    write(`${printableJson({ slots, first })}\n`);
  });
}

/** A line a slot, each time that it says something else. For a terminal that is none, and a file. */
export function lineScreen(write: (text: string) => void): Screen {
  const shown = new Map<string, string>();
  let first = "";
  return {
    show(slots) {
      for (const one of slots) {
        const line = shownSlot(one);
        if (shown.get(one.slot) !== line) write(printableText(`${line}\n`));
        shown.set(one.slot, line);
      }
      const now = firstLine(slots);
      if (now !== first && now !== "") write(printableText(`${now}\n`));
      first = now;
    },
    end: () => undefined,
  };
}

/** A bar a slot, drawn anew in place. */
export function barScreen(stream: NodeJS.WritableStream): Screen {
  const bars = openBars(stream);
  return {
    show(slots) {
      const first = firstReady(slots)?.slot;
      for (const one of slots) {
        const ready = one.slot === first ? "  ◀ het eerst klaar / ready first" : "";
        const says = printableText(`${slotSays(one)}${leftOf(one)}${ready}`);
        const name = printableText(`${one.slot}  ${one.number ?? "-"}`);
        bars.show(one.slot, ...barOf(one), name, says);
      }
    },
    end: () => bars.end(),
  };
}

/** An empty card that is done is full of what was to be done. */
function barOf({ state, bytes, bytesDone }: SlotNews): readonly [done: number, total: number] {
  if (state === "done") return [1, 1];
  return [bytesDone, Math.max(bytes, 1)];
}

function firstLine(slots: readonly SlotNews[]): string {
  const first = firstReady(slots);
  return first ? `het eerst klaar / ready first: ${first.slot} (${first.number ?? "-"})` : "";
}

function onChange(show: (slots: readonly SlotNews[]) => void): Screen {
  let last = "";
  return {
    show(slots) {
      const now = JSON.stringify(slots);
      if (now !== last) show(slots);
      last = now;
    },
    end: () => undefined,
  };
}
