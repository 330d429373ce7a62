import { BewaardError } from "#base/errors";
import { type Clock, every, SECOND_MS } from "#base/time";
import type { DockCore } from "./dock-core.ts";
import type { SlotBoard } from "./slot-board.ts";

/**
 * Core has its news in memory, so that one that was started again has none until then; and believes none that
 * is older than some of these (daemon/pairing/board.ts).
 */
export const NEWS_EVERY_MS = 30 * SECOND_MS;

/**
 * Tells core what the slots show, at most once a second and only when it has changed, or was half a minute ago. News may
 * be lost: facts go through incoming/.
 */
export async function tellSlots(
  clock: Clock,
  core: DockCore,
  board: SlotBoard,
  signal: AbortSignal,
): Promise<void> {
  // At first that nothing is in: what the dock before this one said may still be shown.
  let told = "";
  let toldAtMs = 0;
  for await (const _ of every(clock, SECOND_MS, signal)) {
    const slots = board.news();
    const now = JSON.stringify(slots);
    const isOld = clock.uptimeMs() - toldAtMs >= NEWS_EVERY_MS;
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
