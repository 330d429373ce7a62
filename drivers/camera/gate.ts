import { BewaardError } from "#base/errors";
import { machineBusy } from "#base/machine-busy";
import type { Clock } from "#base/time";
import { together } from "#base/together";
import type { CameraAddress, Offer } from "./address.ts";
import { isPictureKnown } from "./admitted.ts";
import { type Agreed, agree } from "./agree.ts";
import { type CameraSession, openSession } from "./camera-session.ts";
import { type Door, ownDoor } from "./door.ts";
import type { Reader } from "./ffmpeg.ts";
import type { Offered } from "./gate-answers.ts";
import { describeAdmitted } from "./gate-description.ts";
import { type GateListener, openListener } from "./gate-listener.ts";
import { type Hole, openHoles } from "./holes.ts";
import { keepAlive, reportReception } from "./keep-alive.ts";
import { openPasses } from "./passes.ts";
import { openRelay } from "./relay.ts";
import { isTimeout, within } from "./within.ts";

/** How long a camera may take to hear that it is over. */
const FAREWELL_MS = 1000;

/** A camera's stream, to be read once on this machine, without the camera's password. */
export interface Gate extends AsyncDisposable {
  readonly offer: Offer;
  /** rtsp://127.0.0.1:port/ and 128 random bits, for one reader. */
  readonly url: string;
  /**
   * Lets `who` be that reader, and nobody else: to be called once it was started with the address.
   * `onOther` hears of each other process that knew the address, and was refused.
   */
  admit(who: Reader, onOther: () => void): void;
  /** Resolves once, when the camera's side ends. It does not when the gate is disposed of. */
  readonly lost: Promise<BewaardError>;
  /** How many frames came that nobody asked for. They went nowhere. */
  dropped(): number;
  /** Whether the camera has said what time it is, in a sender report of its picture. */
  readonly reported: () => boolean;
  /** What packets of the video were missing since this was asked last. */
  missing(): Hole | undefined;
}

/**
 * Connects and logs in to a camera, judges what it offers, and opens a gate through which one reader gets
 * what is taken of it, as soon as that reader plays (decision 0021). `signal` ends the opening, not the gate. The
 * reader comes to `door`.
 * @throws BewaardError CAMERA_UNREACHABLE, CAMERA_LOGIN, CAMERA_REFUSED, CAMERA_STREAM, CAMERA_STALLED,
 *   CAMERA_LOST, MACHINE_BUSY.
 */
export async function openGate(
  clock: Clock,
  camera: CameraAddress,
  signal: AbortSignal,
  door: Door = ownDoor,
): Promise<Gate> {
  await using opened = new AsyncDisposableStack();
  const life = new AbortController();
  const relay = openRelay(clock, life.signal);
  const passes = openPasses();
  const holes = openHoles();
  const take = (frames: Buffer): void => {
    holes.look(frames);
    relay.take(frames);
  };
  const session = opened.use(
    await openSession(clock, camera, { admit: passes.admit, take }, signal),
  );
  const agreed = await untilAborted(session, () => agree(session, camera), signal);
  opened.defer(() => farewell(clock, session, agreed));
  opened.defer(() => life.abort());
  const { video, audio, soundOffered } = agreed.admitted;
  const listener = await listening(clock, door, {
    description: describeAdmitted(agreed.admitted),
    channels: agreed.channels,
    begin: relay.begin,
    async play(tracks) {
      for (const track of [video, audio]) {
        const channels = agreed.channels.get(track?.kind ?? "");
        if (track !== undefined && channels !== undefined && tracks.includes(track.kind)) {
          passes.let(track, channels);
          if (track.kind !== "video") continue;
          holes.watch(channels[0]);
          relay.join(channels[0], video.codec);
        }
      }
      await play(session, agreed);
    },
  });
  opened.use(listener);
  void session.ended.then(relay.end);
  void live(clock, session, agreed, life.signal);
  const held = opened.move();
  return {
    offer: {
      video: video.codec,
      audio: audio?.codec,
      soundOffered,
      pictureKnown: isPictureKnown(video),
    },
    url: listener.url,
    admit: (who, onOther) => listener.admit(who, onOther),
    lost: session.ended,
    dropped: passes.dropped,
    reported: passes.reported,
    missing: holes.take,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** Not being able to listen is no fault of the camera's, and of this camera alone. */
async function listening(clock: Clock, door: Door, offered: Offered): Promise<GateListener> {
  try {
    return await openListener(clock, door, offered);
  } catch (error) {
    throw machineBusy(error) ?? error;
  }
}

/** Ends `session` for the time of `work`, should `signal` abort. */
async function untilAborted<T>(
  session: CameraSession,
  work: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const abort = (): void => session[Symbol.dispose]();
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Starts the camera. One that will not play is lost, also for who waits for that. */
async function play(session: CameraSession, { aggregate, known }: Agreed): Promise<void> {
  try {
    await session.ask("PLAY", aggregate, [`Session: ${known.session}`, "Range: npt=0.000-"]);
  } catch (error) {
    if (error instanceof BewaardError) session.fail(error);
    throw error;
  }
}

/** Keeps the camera's session until `signal` aborts; a camera that will not have that is lost. */
async function live(
  clock: Clock,
  session: CameraSession,
  { known, channels, aggregate, methods }: Agreed,
  signal: AbortSignal,
): Promise<void> {
  const [, rtcp = 1] = channels.get("video") ?? [];
  try {
    await together(signal, [
      (ending) => keepAlive(clock, session, known, aggregate, methods, ending),
      (ending) => reportReception(clock, session, rtcp, ending),
    ]);
  } catch (error) {
    if (!(error instanceof BewaardError)) throw error;
    session.fail(error);
  }
}

/** Tells the camera, which then has room for the next session at once. It need not answer. */
async function farewell(
  clock: Clock,
  session: CameraSession,
  { aggregate, known }: Agreed,
): Promise<void> {
  try {
    await within(
      clock,
      FAREWELL_MS,
      () => session.ask("TEARDOWN", aggregate, [`Session: ${known.session}`]),
      new AbortController().signal,
    );
  } catch (error) {
    if (!(error instanceof BewaardError) && !isTimeout(error)) throw error;
  }
}
