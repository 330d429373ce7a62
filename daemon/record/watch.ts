import { BewaardError } from "#base/errors";
import { type Clock, every, SECOND_MS } from "#base/time";
import type { Fragment } from "../../drivers/camera/fragments.ts";

/** Sees whether a camera's pictures go on coming. ffmpeg cannot: it waits for ever while reports come. */
export interface Watch {
  heard(fragment: Fragment): void;
  /** What is wrong, when a connection has ended with `error`: silence comes before what follows from it. */
  why(error: BewaardError): BewaardError;
  /**
   * Looks each second until the signal aborts, or until `over` says so.
   * @throws BewaardError CAMERA_STALLED (transient).
   */
  until(over: () => boolean, signal: AbortSignal): Promise<void>;
}

const FIRST_MS = 15 * SECOND_MS;
const NEXT_MS = 5 * SECOND_MS;
const FRAGMENTS_MISSED = 4;
/** However long a fragment claims to be: a camera that has gone quiet is recorded again within 35 s. */
const LONGEST_MS = 20 * SECOND_MS;
/** ffmpeg, and the camera, give up after 5 s as well, and know less. */
const SILENT_MS = 4 * SECOND_MS;

/** Begins to count at once: connecting is part of it. */
export function openWatch(clock: Clock): Watch {
  let heardMs = clock.uptimeMs();
  let patienceMs = FIRST_MS;
  /** From the fragment before to the last one. */
  let lastMs = 0;
  const silentMs = (): number => clock.uptimeMs() - heardMs;
  return {
    why(error) {
      // What ffmpeg had begun it still brings when it gives up.
      const ms = Math.max(silentMs(), lastMs);
      return error.code === "CAMERA_STREAM" && ms > SILENT_MS ? stalled(ms) : error;
    },
    heard({ durationMs }) {
      lastMs = silentMs();
      heardMs = clock.uptimeMs();
      patienceMs = Math.min(LONGEST_MS, Math.max(NEXT_MS, FRAGMENTS_MISSED * durationMs));
    },
    async until(over, signal) {
      for await (const _ of every(clock, SECOND_MS, signal)) {
        if (over()) return;
        if (silentMs() > patienceMs) throw stalled(silentMs());
      }
    },
  };
}

function stalled(silentMs: number): BewaardError {
  const message = `no picture for ${Math.round(silentMs / SECOND_MS)} s`;
  return new BewaardError("CAMERA_STALLED", message, { transient: true });
}
