import { BewaardError } from "#base/errors";
import type { Clock } from "#base/time";
import type { CameraAddress } from "./address.ts";
import { connectCamera } from "./camera-connection.ts";
import { type Login, openLogin } from "./camera-login.ts";
import { type Exchange, openExchange } from "./exchange.ts";
import { type Message, openReader } from "./rtsp-message.ts";

/** What becomes of the frames between the camera's answers. */
export interface FrameSink {
  /** Whether a frame is wanted: its channel, and the second byte of its packet. */
  readonly admit: (channel: number, type: number) => boolean;
  /** Takes whole admitted frames, which are gone when it returns. @throws BewaardError when it cannot any more: the session ends with it. */
  readonly take: (frames: Buffer) => void;
}

/** One connection to a camera, logged in as it goes. */
export interface CameraSession extends Disposable {
  /**
   * Asks and waits for an answer of success; logs in when the camera wants that.
   * @throws BewaardError CAMERA_LOGIN, CAMERA_REFUSED, CAMERA_STALLED after 5 s, CAMERA_LOST, CAMERA_STREAM.
   */
  ask(method: string, url: string, headers: readonly string[]): Promise<Message>;
  /** Sends a frame of ours. @throws BewaardError CAMERA_STREAM for a camera that reads nothing. */
  send(frame: Buffer): void;
  /** How many chunks have come so far: whether the camera says anything at all. */
  heard(): number;
  /** Ends the session for `error`, once. */
  fail(error: BewaardError): void;
  /** Why the session ended, as soon as it has, other than by being disposed of. */
  readonly ended: Promise<BewaardError>;
}

/** @throws BewaardError CAMERA_UNREACHABLE, or CAMERA_REFUSED for another certificate than the pinned one. */
export async function openSession(
  clock: Clock,
  camera: CameraAddress,
  sink: FrameSink,
  signal: AbortSignal,
): Promise<CameraSession> {
  const life = new AbortController();
  const ended = Promise.withResolvers<BewaardError>();
  const read = openReader(sink.admit);
  let heard = 0;
  let exchange: Exchange | undefined;
  const socket = await connectCamera(clock, camera, hear, signal);
  if (heard > 0) {
    socket.destroy();
    const message = "it speaks before it is asked";
    throw new BewaardError("CAMERA_STREAM", message, { transient: true });
  }
  const asked = openExchange(clock, socket, life.signal);
  exchange = asked;
  const login = openLogin(camera);

  function fail(error: BewaardError): void {
    if (life.signal.aborted) return;
    life.abort(error);
    ended.resolve(error);
    socket.destroy();
  }

  function hear(chunk: Buffer): void {
    heard += 1;
    if (life.signal.aborted || !exchange) return;
    try {
      for (const unit of read(chunk)) {
        if (unit.kind === "frames") sink.take(unit.bytes);
        else exchange.hear(unit.message);
      }
    } catch (error) {
      if (!(error instanceof BewaardError)) throw error;
      fail(error);
    }
  }

  socket.on("error", (error) => fail(lost("the connection broke", error)));
  socket.on("close", () => fail(lost("it ended the connection", undefined)));

  return {
    ended: ended.promise,
    fail,
    heard: () => heard,
    send: asked.sendFrame,
    ask: (method, url, headers) => askLoggedIn(asked, login, method, url, headers),
    [Symbol.dispose]() {
      life.abort(lost("its session was ended here", undefined));
      socket.destroy();
    },
  };
}

async function askLoggedIn(
  exchange: Exchange,
  login: Login,
  method: string,
  url: string,
  headers: readonly string[],
): Promise<Message> {
  for (let refusals = 0; ; refusals += 1) {
    const authorization = login.authorization(method, url);
    const given = authorization === undefined ? [] : [`Authorization: ${authorization}`];
    const answer = await exchange.send(method, url, [...headers, ...given]);
    if (answer.status !== 401) {
      if (authorization !== undefined) login.accepted();
      return successOf(method, answer);
    }
    login.challenged(answer.headers.get("www-authenticate") ?? [], authorization !== undefined);
    // Not logged in, then a stale nonce: more is a camera that goes on asking for ever.
    if (refusals === 2) throw new BewaardError("CAMERA_LOGIN", "it goes on asking for a login");
  }
}

function successOf(method: string, answer: Message): Message {
  const status = answer.status ?? 0;
  if (status < 300) return answer;
  if (status < 400) throw new BewaardError("CAMERA_REFUSED", `it sends us elsewhere (${status})`);
  // 453: not enough bandwidth now. 5xx: its own trouble.
  const transient = status === 453 || status >= 500;
  throw new BewaardError("CAMERA_REFUSED", `${method} is answered with ${status}`, { transient });
}

function lost(what: string, cause: unknown): BewaardError {
  return new BewaardError("CAMERA_LOST", what, { transient: true, cause });
}
