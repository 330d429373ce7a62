import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { clearInterval, setInterval } from "node:timers";
import { createServer as createTlsServer } from "node:tls";
import type { Clock } from "#base/time";
import { answerTo, mediumOf } from "./simulated-answers.ts";
import { type Lock, newNonce, type Scheme } from "./simulated-login.ts";
import type { Medium } from "./simulated-medium.ts";
import { type RtspRequest, requestReader } from "./simulated-requests.ts";
import { type Conduct, openStream, type Stream } from "./simulated-stream.ts";

const TICK_MS = 10;

export interface CameraSettings {
  readonly video: Medium;
  readonly sound: Medium | undefined;
  readonly scheme: Scheme;
  readonly user: string;
  readonly password: string;
  /** For rtsps: key and certificate in PEM. */
  readonly tls: { readonly key: string; readonly cert: string } | undefined;
}

/** A camera in a process: RTSP over TCP on 127.0.0.1, for the demo and the tests. */
export interface SimulatedCamera extends AsyncDisposable {
  /** Without a login. */
  readonly url: string;
  readonly conduct: Conduct;
  readonly lock: Lock;
  /** Every request since its start, logged in or not. */
  readonly requests: readonly RtspRequest[];
  /** Which media were ever asked to be sent. */
  readonly setups: readonly Medium["kind"][];
  /** Connections made since its start, and open now. */
  readonly connections: { readonly made: number; readonly open: number };
  /** Answers in its place: says whether it did. */
  answers: (request: RtspRequest, socket: Socket) => boolean;
  /** What DESCRIBE answers, in place of the description that is right. */
  describes: (sdp: string) => string;
  /** Ends every connection, in order or with a reset. */
  disconnect(how: "close" | "reset"): void;
  /** As when its power fails: every connection is refused until `plugIn`. */
  unplug(): Promise<void>;
  plugIn(): Promise<void>;
}

/** Starts a camera on a port that the system gives. */
export async function startCamera(
  clock: Clock,
  settings: CameraSettings,
): Promise<SimulatedCamera> {
  const { scheme, user, password, tls } = settings;
  const sockets = new Map<Socket, Stream>();
  const requests: RtspRequest[] = [];
  const setups: Medium["kind"][] = [];
  const conduct = newConduct(settings.video);
  const lock = { scheme, user, password, nonce: newNonce() };
  let made = 0;

  function accept(socket: Socket): void {
    made += 1;
    const stream = openStream(socket, clock, conduct);
    sockets.set(socket, stream);
    socket.setNoDelay(true);
    // Whoever hangs up without a word is what this camera is for.
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    const session = randomBytes(4).toString("hex");
    const read = requestReader();
    socket.on("data", (bytes: Buffer) => {
      const { describes } = camera;
      const media = settings.sound ? [conduct.video, settings.sound] : [conduct.video];
      for (const request of read(bytes)) {
        requests.push(request);
        const asked = request.method === "SETUP" ? mediumOf(request, media) : undefined;
        if (asked !== undefined) setups.push(asked.kind);
        if (camera.answers(request, socket)) continue;
        socket.write(answerTo(request, { lock, media, describes, stream, session }));
      }
    });
  }

  const plug = await openPlug(() => (tls ? createTlsServer(tls, accept) : createServer(accept)));
  const ticking = setInterval(() => {
    for (const stream of sockets.values()) stream.tick();
  }, TICK_MS);
  async function unplug(): Promise<void> {
    const closed = plug.close();
    for (const socket of sockets.keys()) socket.destroy();
    await closed;
  }

  const camera: SimulatedCamera = {
    url: `${tls ? "rtsps" : "rtsp"}://127.0.0.1:${plug.port}/stream1`,
    conduct,
    lock,
    requests,
    setups,
    get connections() {
      return { made, open: sockets.size };
    },
    answers: () => false,
    describes: (sdp) => sdp,
    disconnect(how) {
      for (const socket of sockets.keys()) {
        if (how === "close") socket.end();
        else socket.resetAndDestroy();
      }
    },
    unplug,
    plugIn: () => plug.open(),
    async [Symbol.asyncDispose]() {
      clearInterval(ticking);
      await unplug();
    },
  };
  return camera;
}

function newConduct(video: Medium): Conduct {
  return {
    video,
    sends: "everything",
    skewMs: 0,
    firstTimestamp: undefined,
    loses: () => false,
    garbage: undefined,
  };
}

/** Listens on one port, which stays the same when it is closed and opened again. */
async function openPlug(make: () => Server) {
  let server = make();
  let port = 0;
  async function open(): Promise<void> {
    if (server.listening) return;
    server = make();
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address !== null && typeof address === "object") port = address.port;
  }
  await open();
  return {
    port,
    open,
    async close(): Promise<void> {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}
