import { BewaardError } from "#base/errors";
import type { Clock } from "#base/time";
import { together } from "#base/together";
import type { CameraAddress, Offer } from "./address.ts";
import { type Admitted, admit, type Track } from "./admitted.ts";
import { type CameraSession, openSession } from "./camera-session.ts";
import { controlUrl, sameHost } from "./control-url.ts";
import { describeAdmitted } from "./gate-description.ts";
import { openListener } from "./gate-listener.ts";
import { keepAlive, reportReception } from "./keep-alive.ts";
import { openRelay } from "./relay.ts";
import { readDescription } from "./sdp.ts";
import { type Channels, type SetUp, setUp } from "./set-up.ts";
import { isTimeout, within } from "./within.ts";

/** How long a camera may take to hear that it is over. */
const FAREWELL_MS = 1000;

/** A camera's stream, to be read once on this machine, without the camera's password. */
export interface Gate extends AsyncDisposable {
  readonly offer: Offer;
  /** rtsp://127.0.0.1:port/ and 128 random bits, for one reader. */
  readonly url: string;
  /** Resolves once, when the camera's side ends. It does not when the gate is disposed of. */
  readonly lost: Promise<BewaardError>;
  /** How many frames came that nobody asked for. They went nowhere. */
  dropped(): number;
}

/**
 * Connects and logs in to a camera, judges what it offers, and opens a gate through which one reader gets
 * what is taken of it, as soon as that reader plays (decision 0021). `signal` ends the opening, not the gate.
 * @throws BewaardError CAMERA_UNREACHABLE, CAMERA_LOGIN, CAMERA_REFUSED, CAMERA_STREAM, CAMERA_STALLED,
 *   CAMERA_LOST.
 */
export async function openGate(
  clock: Clock,
  camera: CameraAddress,
  signal: AbortSignal,
): Promise<Gate> {
  await using opened = new AsyncDisposableStack();
  const life = new AbortController();
  const relay = openRelay(clock, life.signal);
  const passes = openPasses();
  const session = opened.use(
    await openSession(clock, camera, { admit: passes.admit, take: relay.take }, signal),
  );
  const agreed = await untilAborted(session, () => agree(session, camera), signal);
  opened.defer(() => farewell(clock, session, agreed));
  opened.defer(() => life.abort());
  const { video, audio, soundOffered } = agreed.admitted;
  const listener = await openListener(clock, {
    description: describeAdmitted(agreed.admitted),
    channels: agreed.channels,
    begin: relay.begin,
    async play(tracks) {
      for (const track of [video, audio]) {
        const channels = agreed.channels.get(track?.kind ?? "");
        if (track !== undefined && channels !== undefined && tracks.includes(track.kind)) {
          passes.let(track, channels);
        }
      }
      const headers = [`Session: ${agreed.known.session}`, "Range: npt=0.000-"];
      await session.ask("PLAY", agreed.aggregate, headers);
    },
  });
  opened.use(listener);
  void session.ended.then(relay.end);
  void live(clock, session, agreed, life.signal);
  const held = opened.move();
  return {
    offer: { video: video.codec, audio: audio?.codec, soundOffered },
    url: listener.url,
    lost: session.ended,
    dropped: passes.dropped,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** What camera and gate agreed on. */
interface Agreed {
  readonly admitted: Admitted;
  readonly channels: ReadonlyMap<string, Channels>;
  readonly known: SetUp;
  /** Where everything together is played, kept alive and torn down. */
  readonly aggregate: string;
  /** The camera's Public header. */
  readonly methods: string;
}

async function agree(session: CameraSession, { url, sound }: CameraAddress): Promise<Agreed> {
  const options = await session.ask("OPTIONS", url, []);
  const { headers, body } = await session.ask("DESCRIBE", url, ["Accept: application/sdp"]);
  const given = headers.get("content-base") ?? headers.get("content-location");
  const base = sameHost(url, given?.[0] ?? url);
  const description = readDescription(body.toString("latin1"));
  const { video, audio, soundOffered } = admit(description, sound);
  // Before anything is set up: one word of another host, and nothing is.
  const aggregate = controlUrl(base, description.control);
  let known = await setUp(session, controlUrl(base, video.control), undefined);
  const channels = new Map<string, Channels>([["video", known.channels]]);
  if (audio !== undefined) {
    known = await setUp(session, controlUrl(base, audio.control), known);
    channels.set("audio", known.channels);
  }
  return {
    admitted: { video, audio, soundOffered },
    channels,
    known,
    aggregate,
    methods: options.headers.get("public")?.join(",") ?? "",
  };
}

interface Passes {
  /** By the payload type too: no other medium comes along on a channel that is let. */
  readonly let: (track: Track, channels: Channels) => void;
  readonly admit: (channel: number, type: number) => boolean;
  readonly dropped: () => number;
}

/** Which frames may pass: none before they were let. */
function openPasses(): Passes {
  const allowed = new Map<number, (type: number) => boolean>();
  let dropped = 0;
  return {
    let({ payload }, [rtp, rtcp]) {
      allowed.set(rtp, (type) => (type & 0x7f) === payload);
      allowed.set(rtcp, (type) => type >= 192 && type <= 223);
    },
    admit(channel, type) {
      const admitted = allowed.get(channel)?.(type) === true;
      if (!admitted) dropped += 1;
      return admitted;
    },
    dropped: () => dropped,
  };
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
