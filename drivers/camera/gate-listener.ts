import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { BewaardError } from "#base/errors";
import type { Clock } from "#base/time";
import { type Offered, openAnswers } from "./gate-answers.ts";
import { type Message, openReader } from "./rtsp-message.ts";

/** Connections that have not shown the path yet. Only one program here has a reason to make one. */
const STRANGERS = 8;
/** How long one may take to show it. */
const STRANGER_MS = 5000;

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

async function expire(clock: Clock, end: () => void, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(STRANGER_MS, signal);
    end();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
