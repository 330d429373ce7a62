import { systemClock } from "#base/system-clock";
import type { Ask } from "../../daemon/control/client.ts";

/**
 * Resolves when core answers, or when the signal aborts. Waits between two questions: core may be starting in
 * this same process, and has the time that is not spent on asking.
 */
export async function answering(ask: Ask, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await ask("status", {});
      return;
    } catch {
      await systemClock.sleep(5, signal).catch(() => undefined);
    }
  }
}
