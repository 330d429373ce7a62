import { BewaardError, isAbort } from "#base/errors";
import { type Clock, SECOND_MS } from "#base/time";
import { together } from "#base/together";
import type { CameraAddress, CameraLogin, Offer } from "../../drivers/camera/address.ts";
import type { StreamClock } from "../../drivers/camera/stream-clock.ts";
import type { Events } from "../events.ts";
import type { Backlog } from "./backlog.ts";
import type { Board } from "./board.ts";
import { causeOf } from "./causes.ts";
import type { Closing } from "./closing.ts";
import { type Hears, recordConnection } from "./connection.ts";
import type { History } from "./history.ts";
import type { Live } from "./live.ts";
import type { Reading } from "./reading.ts";
import type { RecordedCamera } from "./recorded.ts";
import type { RecordSealing } from "./sealing.ts";
import { periodEnds, type WallCameraSettings } from "./wall-camera.ts";
import { openWatch } from "./watch.ts";

/** What all cameras of a recorder share. */
export interface Recorder {
  readonly clock: Clock;
  readonly events: Events;
  readonly reading: Reading;
  readonly sealing: RecordSealing;
  readonly backlog: Backlog;
  readonly history: History;
  readonly board: Board;
  readonly live: Live;
  readonly segmentMs: number;
  /** The disk has said that it is full. */
  readonly wantRoom: () => void;
}

/** What an attempt to record a camera needs. */
export interface Attempt {
  readonly camera: WallCameraSettings;
  readonly login: () => Promise<CameraLogin | undefined>;
  readonly closing: Closing;
  /** True once an hour for the same thing. */
  readonly hourly: (what: string) => boolean;
  /** Whether it was said that the camera is not recorded, and not yet that it is again. */
  readonly said: { failed: boolean };
}

/** What came of it. */
interface Attempted {
  /** Why it ended; undefined when it was to end. */
  readonly error: BewaardError | undefined;
  /** How long footage was stored, from the first of it until now. */
  readonly recordedMs: number;
}

/** A camera's clock that is off by more than this is an alarm (DH-05). */
const WRONG_CLOCK_MS = 2 * SECOND_MS;

/** Connects to a camera once, and records it until that ends, or until it is out of service. */
export async function attempt(
  recorder: Recorder,
  { camera, login, closing, hourly, said }: Attempt,
  signal: AbortSignal,
): Promise<Attempted> {
  const { clock, events, history, live } = recorder;
  const over = new AbortController();
  const watch = openWatch(clock);
  const recording = recordedOf(recorder, camera, closing, hourly, said, signal);
  const hears: Hears = {
    offered: (offer) => recording.offered(offer),
    heard(fragment, stream) {
      watch.heard(fragment);
      recording.tellClock(stream);
    },
    intruded() {
      if (hourly("intruder")) events.cameraIntruder(camera.number);
    },
  };
  try {
    await together(AbortSignal.any([signal, over.signal]), [
      async (s) => {
        const address = addressOf(camera, await login());
        await recordConnection(
          recording.recorded,
          camera.covert ? undefined : live,
          address,
          hears,
          s,
        );
      },
      async (s) => {
        await watch.until(() => camera.service(clock.now()) !== "in service", s);
        // It also ends because the other has.
        if (!s.aborted) over.abort();
      },
      async (s) => {
        if (camera.until === undefined) return;
        await periodEnds(clock, camera.until, s);
        if (!s.aborted) over.abort();
      },
    ]);
    return { error: undefined, recordedMs: recording.lastedMs() };
  } catch (error) {
    // What goes wrong because it is ended is no fault of the camera's.
    const ended = signal.aborted || over.signal.aborted;
    if (ended && (error instanceof BewaardError || isAbort(error)))
      return { error: undefined, recordedMs: recording.lastedMs() };
    const why = error instanceof BewaardError ? watch.why(error) : undefined;
    const cause = why && causeOf(why);
    if (why === undefined || cause === undefined) throw error;
    history.of(camera.number).break(cause);
    if (hourly(why.code)) {
      events.cameraFailed(camera.number, why);
      said.failed = true;
    }
    return { error: why, recordedMs: recording.lastedMs() };
  }
}

function recordedOf(
  recorder: Recorder,
  { number: device, sound, until }: WallCameraSettings,
  closing: Closing,
  hourly: (what: string) => boolean,
  said: Attempt["said"],
  stopping: AbortSignal,
) {
  const { clock, events, board } = recorder;
  const history = recorder.history.of(device);
  let offer: Offer | undefined;
  let sinceMs: number | undefined;
  const refused = ({ code }: BewaardError): void =>
    void (code === "SPOOL_FULL" && recorder.wantRoom());

  const recorded: RecordedCamera = {
    ...recorder,
    device,
    history,
    until,
    stopping,
    onWritten() {
      board.put(device, "recording");
      if (sinceMs !== undefined) return;
      sinceMs = clock.uptimeMs();
      // One that comes and goes each few seconds is said once an hour, both ways.
      if (offer && (hourly("recording") || said.failed))
        events.cameraRecording(device, offer.video, offer.audio);
      said.failed = false;
    },
    onFull: () => recorder.wantRoom(),
    onDropped(waitingBytes, why) {
      refused(why);
      board.put(device, "stalled", why.code);
      if (hourly("dropped")) events.cameraDropped(device, waitingBytes, why);
    },
    onDamaged(packets) {
      if (hourly("damaged")) events.cameraDamaged(device, packets);
    },
    onUnkept(why) {
      refused(why);
      if (hourly("unkept")) events.cameraUnkept(device, why);
    },
    follow: (work) => closing.follow(work),
  };
  return {
    recorded,
    lastedMs: () => (sinceMs === undefined ? 0 : clock.uptimeMs() - sinceMs),
    offered(offered: Offer) {
      offer = offered;
      if (!offered.soundOffered || offered.audio !== undefined || !hourly("sound")) return;
      if (sound) events.cameraSoundless(device);
      else events.cameraSound(device);
    },
    tellClock({ camera: { offsetMs } }: StreamClock) {
      board.offset(device, offsetMs);
      if (offsetMs !== null && Math.abs(offsetMs) > WRONG_CLOCK_MS && hourly("clock"))
        events.cameraClock(device, offsetMs);
    },
  };
}

function addressOf(camera: WallCameraSettings, login: CameraLogin | undefined): CameraAddress {
  const { url, basic, certificate, sound } = camera;
  return { url, login, basic, certificate, sound };
}
