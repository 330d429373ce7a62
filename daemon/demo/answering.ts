import { systemClock } from "#base/system-clock";
import type { Ask } from "../control/client.ts";

/** Resolves once core answers. */
export async function answering(ask: Ask, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await ask("status", {});
      return;
    } catch {
      await systemClock.sleep(50, signal);
    }
  }
}
