import { BewaardError } from "#base/errors";
import { type Clock, every, SECOND_MS } from "#base/time";
import type { Fragment } from "../../drivers/camera/fragments.ts";

/** Sees whether a camera's pictures go on coming. ffmpeg cannot: it waits for ever while reports come. */
export interface Watch {
  heard(fragment: Fragment): void;
  /**
   * Looks each second until the signal aborts, or until `over` says so.
   * @throws BewaardError CAMERA_STALLED (transient).
   */
  until(over: () => boolean, signal: AbortSignal): Promise<void>;
}

const FIRST_MS = 15 * SECOND_MS;
const NEXT_MS = 5 * SECOND_MS;
const FRAGMENTS_MISSED = 4;

/** Begins to count at once: connecting is part of it. */
export function openWatch(clock: Clock): Watch {
  let heardMs = clock.uptimeMs();
  let patienceMs = FIRST_MS;
  return {
    heard({ durationMs }) {
      heardMs = clock.uptimeMs();
      patienceMs = Math.max(NEXT_MS, FRAGMENTS_MISSED * durationMs);
    },
    async until(over, signal) {
      for await (const _ of every(clock, SECOND_MS, signal)) {
        if (over()) return;
        const silentMs = clock.uptimeMs() - heardMs;
        if (silentMs <= patienceMs) continue;
        const message = `no picture for ${Math.round(silentMs / SECOND_MS)} s`;
        throw new BewaardError("CAMERA_STALLED", message, { transient: true });
      }
    },
  };
}
