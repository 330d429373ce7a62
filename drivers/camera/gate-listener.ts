import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { BewaardError } from "#base/errors";
import type { Clock } from "#base/time";
import { type Message, openReader } from "./rtsp-message.ts";

/** Connections that have not shown the path yet. Only one program here has a reason to make one. */
const STRANGERS = 8;
/** How long one may take to show it. */
const STRANGER_MS = 5000;

/** What the gate lets its one reader ask. */
export interface Offered {
  readonly description: string;
  /** Interleaved channels by the last part of a control, `video` or `audio`. */
  readonly channels: ReadonlyMap<string, readonly [number, number]>;
  /** Starts the camera. Frames may go to the reader once it has been answered. */
  play(tracks: readonly string[]): Promise<void>;
  /** Called when that is so. */
  readonly begin: (reader: Socket) => void;
}

export interface GateListener extends AsyncDisposable {
  readonly url: string;
}

/**
 * Listens on loopback for one reader that knows a path of 128 random bits. Once it has shown the path,
 * nobody else can connect; before, who shows another path gets a 404.
 */
export async function openListener(clock: Clock, offered: Offered): Promise<GateListener> {
  const life = new AbortController();
  const sockets = new Set<Socket>();
  const path = `/${randomBytes(16).toString("hex")}`;
  const server = createServer({ noDelay: true });
  server.maxConnections = STRANGERS;
  let reader: Socket | undefined;

  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // A reader that was killed resets its connection. Its owner notices.
    socket.on("error", () => undefined);
    const claim = (): boolean => {
      if (reader === undefined) {
        reader = socket;
        server.close();
        for (const other of sockets) if (other !== socket) other.destroy();
      }
      return reader === socket;
    };
    void expire(clock, () => socket !== reader && socket.destroy(), life.signal);
    serve(socket, path, claim, offered);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  return {
    url: `rtsp://127.0.0.1:${address.port}${path}`,
    async [Symbol.asyncDispose]() {
      life.abort();
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function serve(socket: Socket, path: string, claim: () => boolean, offered: Offered): void {
  const read = openReader(() => false);
  const answer = openAnswers(socket, offered);
  let turn = Promise.resolve();
  socket.on("data", (chunk: Buffer) => {
    try {
      for (const unit of read(chunk)) {
        if (unit.kind === "frames") continue;
        const asked = trackAsked(unit.message, path);
        if (asked === undefined || !claim()) {
          socket.end("RTSP/1.0 404 Not Found\r\n\r\n");
          return;
        }
        turn = turn.then(() => answer(unit.message, asked));
      }
    } catch (error) {
      if (!(error instanceof BewaardError)) throw error;
      socket.destroy();
    }
  });
}

/** What stands behind the path: nothing, or a track; undefined under another path. */
function trackAsked({ url }: Message, path: string): string | undefined {
  const asked = URL.parse(url)?.pathname ?? "";
  if (asked === path) return "";
  return asked.startsWith(`${path}/`) ? asked.slice(path.length + 1) : undefined;
}

type Answer = (request: Message, asked: string) => Promise<void>;

function openAnswers(socket: Socket, offered: Offered): Answer {
  const session = randomBytes(8).toString("hex");
  const tracks = new Set<string>();
  return async (request, asked) => {
    const reply = (status: string, headers: readonly string[] = [], body = ""): void => {
      const number = /^\d{1,10}$/.exec(request.headers.get("cseq")?.[0] ?? "")?.[0] ?? "0";
      const lines = [`RTSP/1.0 ${status}`, `CSeq: ${number}`, ...headers];
      if (socket.writable) socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`);
    };
    const inSession = `Session: ${session};timeout=60`;
    switch (request.method) {
      case "OPTIONS":
        reply("200 OK", ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"]);
        return;
      case "DESCRIBE": {
        const length = `Content-Length: ${Buffer.byteLength(offered.description)}`;
        reply("200 OK", ["Content-Type: application/sdp", length], offered.description);
        return;
      }
      case "SETUP": {
        const channels = offered.channels.get(asked);
        const tcp = /^RTP\/AVP\/TCP\b/i.test(request.headers.get("transport")?.[0] ?? "");
        if (channels === undefined) reply("404 Not Found");
        else if (!tcp) reply("461 Unsupported Transport");
        else {
          tracks.add(asked);
          const between = `interleaved=${channels.join("-")}`;
          reply("200 OK", [`Transport: RTP/AVP/TCP;unicast;${between}`, inSession]);
        }
        return;
      }
      case "PLAY":
        try {
          await offered.play([...tracks]);
        } catch (error) {
          if (!(error instanceof BewaardError)) throw error;
          reply("503 Service Unavailable");
          socket.end();
          return;
        }
        reply("200 OK", [inSession]);
        offered.begin(socket);
        return;
      case "GET_PARAMETER":
        reply("200 OK", [inSession]);
        return;
      case "TEARDOWN":
        reply("200 OK", [inSession]);
        socket.end();
        return;
      default:
        reply("501 Not Implemented");
    }
  };
}

async function expire(clock: Clock, end: () => void, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(STRANGER_MS, signal);
    end();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
