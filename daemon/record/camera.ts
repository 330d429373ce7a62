import { atMostEvery } from "#base/at-most-every";
import { every, HOUR_MS, SECOND_MS } from "#base/time";
import type { CameraLogin } from "../../drivers/camera/address.ts";
import { type Attempt, attempt, type Recorder } from "./attempt.ts";
import { openClosing } from "./closing.ts";
import { openTries } from "./tries.ts";
import type { WallCameraSettings } from "./wall-camera.ts";

const LOOK_EVERY_MS = SECOND_MS;

/** The login of a camera. */
export interface Login {
  /** Reads its password, each time it connects. */
  read(): Promise<CameraLogin | undefined>;
  /** Changes with the file of the password. */
  stamp(): Promise<string>;
}

/**
 * Records one camera whenever it is in service, again and again, until the signal aborts; then what it sent
 * is handed over.
 */
export async function recordCamera(
  recorder: Recorder,
  camera: WallCameraSettings,
  login: Login,
  signal: AbortSignal,
): Promise<void> {
  const { clock, board } = recorder;
  const tries = openTries(Math.random);
  const closing = openClosing();
  const running = AbortSignal.any([signal, closing.failed]);
  const trying: Attempt = {
    camera,
    login: () => login.read(),
    closing,
    hourly: atMostEvery(clock, HOUR_MS),
    said: { failed: false },
  };
  const expected = inService(recorder, camera);
  try {
    for await (const _ of every(clock, LOOK_EVERY_MS, running)) {
      if (!expected()) continue;
      const stamp = await login.stamp();
      if (!tries.due(clock.uptimeMs(), stamp)) continue;
      board.put(camera.number, "connecting");
      const beganMs = clock.uptimeMs();
      const { error, recordedMs } = await attempt(recorder, trying, running);
      if (!error) continue;
      const state = error.code === "CAMERA_STALLED" ? "stalled" : "backing off";
      board.put(camera.number, state, error.code);
      tries.failed(error, { beganMs, recordedMs, stamp });
    }
  } finally {
    await closing.all();
  }
}

/** Whether the camera is to be recorded now; says so where that has changed. */
function inService({ clock, events, board, history }: Recorder, camera: WallCameraSettings) {
  const { number: device } = camera;
  const ours = history.of(device);
  let said: string | undefined;
  // When the recorder went, it was: what is missing since then is a gap.
  if (ours.expected()) ours.begin();
  return () => {
    const { until } = camera;
    const now = clock.now();
    if (until !== undefined && now >= until) ours.endPeriod(until);
    const over = until !== undefined && ours.periodEnded(until);
    const service = over ? "out of period" : camera.service(now);
    if (service === "in service") {
      if (!ours.expected()) ours.begin();
    } else {
      ours.excuse();
      board.put(device, service);
      if (said !== service) events.cameraIdle(device, service);
    }
    said = service;
    return service === "in service";
  };
}
