import { BewaardError } from "#base/errors";
import { type Clock, every, SECOND_MS } from "#base/time";
import type { DockCore } from "./dock-core.ts";
import type { SlotBoard } from "./slot-board.ts";

/** Core has its news in memory: one that was started again has none until then. */
const AGAIN_AFTER_MS = 30 * SECOND_MS;

/**
 * Tells core what the slots show, at most once a second and only when it has changed, or was long ago. News may
 * be lost: facts go through incoming/.
 */
export async function tellSlots(
  clock: Clock,
  core: DockCore,
  board: SlotBoard,
  signal: AbortSignal,
): Promise<void> {
  let told = "[]";
  let toldAtMs = clock.uptimeMs();
  for await (const _ of every(clock, SECOND_MS, signal)) {
    const slots = board.news();
    const now = JSON.stringify(slots);
    const isOld = slots.length > 0 && clock.uptimeMs() - toldAtMs >= AGAIN_AFTER_MS;
    if (now === told && !isOld) continue;
    try {
      await core.news(slots);
      told = now;
      toldAtMs = clock.uptimeMs();
    } catch (error) {
      if (!(error instanceof BewaardError) && !signal.aborted) throw error;
    }
  }
}
