import { BewaardError } from "#base/errors";
import { parseDeviceId } from "#base/ids";
import { type Clock, MINUTE_MS } from "#base/time";
import { together } from "#base/together";
import type { AskForDock } from "../control/producers.ts";
import type { Sealing, Slots } from "../dock.ts";
import type { Events } from "../events.ts";
import type { Attendant } from "../notify/attendant.ts";
import { dockCore } from "./ask-core.ts";
import type { Fair } from "./fair.ts";
import type { Machine } from "./ground.ts";
import { cardOpener, type SlotProfile } from "./open-card.ts";
import { type Ground, runSlots } from "./run-slots.ts";
import { saySlot } from "./say-slots.ts";
import { openSlotBoard } from "./slot-board.ts";
import { tellSlots } from "./tell-slots.ts";

/** Longer than core itself has: where that hangs, it is core that is to be started anew. */
const CORE_STEP_MS = 45 * MINUTE_MS;

/** The slots of the machine that `ground` shows. */
export function openSlots(
  clock: Clock,
  events: Events,
  attendant: Attendant,
  ask: AskForDock,
  sealing: Sealing,
  fair: Fair,
  ground: Machine,
  profileOf: (name: string) => Promise<SlotProfile>,
): Slots {
  const core = dockCore(ask);
  const board = openSlotBoard(clock, saySlot(events));
  const { isThere } = ground;
  const open = cardOpener(clock, events, ask, core, sealing, fair, board, isThere, profileOf);
  return {
    board,
    mounted: () => mountedCards(ground),
    run: (signal) =>
      together(signal, [
        attendant.loop("slots", CORE_STEP_MS, (c, s) =>
          runSlots(c, events, core, ground, open, board, s),
        ),
        attendant.loop("slot-news", CORE_STEP_MS, (c, s) => tellSlots(c, core, board, s)),
      ]),
  };
}

/** What a crash left half done is taken again from a card that is in a slot now. */
export async function mountedCards(ground: Ground): ReturnType<Slots["mounted"]> {
  try {
    return (await ground.records()).flatMap(({ number, mountedAt }) =>
      number === null || mountedAt === null
        ? []
        : [{ device: parseDeviceId(number), folder: mountedAt }],
    );
  } catch (error) {
    if (!(error instanceof BewaardError)) throw error;
    return [];
  }
}
