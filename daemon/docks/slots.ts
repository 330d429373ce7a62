import { BewaardError } from "#base/errors";
import { parseDeviceId } from "#base/ids";
import type { Clock } from "#base/time";
import { together } from "#base/together";
import type { Ask } from "../control/client.ts";
import type { Sealing, Slots } from "../dock.ts";
import type { Events } from "../events.ts";
import { dockCore } from "./ask-core.ts";
import type { Fair } from "./fair.ts";
import type { Machine } from "./ground.ts";
import { cardOpener, type SlotProfile } from "./open-card.ts";
import { type Ground, runSlots } from "./run-slots.ts";
import { saySlot } from "./say-slots.ts";
import { openSlotBoard } from "./slot-board.ts";
import { tellSlots } from "./tell-slots.ts";

/** The slots of the machine that `ground` shows. */
export function openSlots(
  clock: Clock,
  events: Events,
  ask: Ask,
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
        (s) => runSlots(clock, events, core, ground, open, board, s),
        (s) => tellSlots(clock, core, board, s),
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
