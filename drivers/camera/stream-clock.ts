import { type Clock, type Instant, instant } from "#base/time";
import { untakeable } from "./boxes.ts";
import { type CameraTime, openCameraTime } from "./camera-time.ts";
import type { Fragment } from "./fragments.ts";

/** Tells when, by this machine's clock, a moment of the stream was (AR-13). One for each connection. */
export interface StreamClock {
  /**
   * Takes in that `fragment` has just arrived; a second time for the same one is ignored.
   * @throws BewaardError CAMERA_STREAM when the stream's time jumped forward or fell behind.
   */
  hear(fragment: Fragment): void;
  /** When the moment `mediaMs` of the stream was; now, before anything was heard. */
  readonly at: (mediaMs: number) => Instant;
  /** How the camera's own clock stands to ours. */
  readonly camera: CameraTime;
}

interface Heard {
  readonly uptimeMs: number;
  readonly offsetMs: number;
}

/** How long the quickest arrival counts: a camera's clock drifts by less than 10 ms in it. */
const WINDOW_MS = 60_000;
/** ffmpeg looks at a stream for some seconds before it passes on what came in them. */
const SETTLING_MS = 30_000;
const SETTLING_JUMP_MS = 10_000;
const JUMP_MS = 2000;
const LATE_MS = 2000;
const LATE_FOR_MS = 10_000;
const TOO_LATE_MS = 15_000;

/**
 * `reported` says whether the camera has sent a sender report (RFC 3550 §6.4.1) of its picture yet.
 *
 * A fragment arrives when its last picture was taken, and a little later: never sooner. So the smallest of
 * arrival less stream time in the last minute is the truth, and all others were late by what they are more.
 */
export function openStreamClock(clock: Clock, reported: () => boolean): StreamClock {
  const openedMs = clock.uptimeMs();
  /** Ascending offsets, each later than the one before: the first is the smallest of the window. */
  const envelope: Heard[] = [];
  const camera = openCameraTime(reported);
  let lateSinceMs: number | undefined;
  let heard: Fragment | undefined;

  const at = (mediaMs: number): Instant => {
    const [quickest] = envelope;
    if (!quickest) return clock.now();
    return instant(Math.round(clock.now() - clock.uptimeMs() + quickest.offsetMs + mediaMs));
  };

  const judge = (lateMs: number, uptimeMs: number): void => {
    const jumpMs = uptimeMs - openedMs < SETTLING_MS ? SETTLING_JUMP_MS : JUMP_MS;
    if (lateMs < -jumpMs) throw untakeable("its time jumped forward");
    if (lateMs <= LATE_MS) lateSinceMs = undefined;
    else lateSinceMs ??= uptimeMs;
    const lateForMs = uptimeMs - (lateSinceMs ?? uptimeMs);
    if (lateMs > TOO_LATE_MS || lateForMs >= LATE_FOR_MS) throw untakeable("its time fell behind");
  };

  return {
    at,
    camera: camera.time,
    hear: (fragment) => {
      if (fragment === heard) return;
      heard = fragment;
      const uptimeMs = clock.uptimeMs();
      const offsetMs = uptimeMs - fragment.mediaMs - fragment.durationMs;
      judge(offsetMs - (envelope[0]?.offsetMs ?? offsetMs), uptimeMs);
      while ((envelope.at(-1)?.offsetMs ?? -Infinity) >= offsetMs) envelope.pop();
      envelope.push({ uptimeMs, offsetMs });
      while ((envelope[0]?.uptimeMs ?? uptimeMs) < uptimeMs - WINDOW_MS) envelope.shift();
      camera.hear(fragment, clock.now(), at(fragment.mediaMs));
    },
  };
}
