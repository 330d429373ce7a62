import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { type Clock, SECOND_MS } from "#base/time";

/** Where readers come to gates. */
export interface Door {
  /** Has `take` get each who connects and, where more than one gate is behind the door, asks for `path`. */
  open(path: string, take: (socket: Socket) => void): Promise<Opening>;
}

/** A gate's part of a door. */
interface Opening {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Lets nobody more through. */
  close(): void;
}

/** A port of its own for each gate. */
export const ownDoor: Door = {
  async open(_path, take) {
    const server = createServer({ noDelay: true }, take).listen(0, "127.0.0.1");
    await listening(server);
    return { port: portOf(server.address()), close: () => server.close() };
  },
};

/**
 * Who has not asked yet: of all cameras' ffmpegs, those that are just being started. More than one that was taken over can have open
 * at once, and twice as many as can be let in at one moment: so each is heard once before he has to go.
 */
const WAITING = 1024;
const PATIENCE_MS = 5 * SECOND_MS;
const REQUEST_BYTES = 1024;
const ASKS = /^[A-Z_]{1,16} rtsp:\/\/[^/\s]{1,64}(\/[0-9a-f]{32})[\s/]/;
const NOT_FOUND = "RTSP/1.0 404 Not Found\r\n\r\n";

/**
 * One port for all gates, the one `at` (systemd/bewaard-gate.socket). A gate is told by what is asked for first. Calls `sentAway` for each
 * who has to go for a newcomer, unheard.
 */
export async function openSharedDoor(
  clock: Clock,
  at: { readonly fd: number } | { readonly port: number; readonly host: string },
  sentAway: () => void,
): Promise<Door & AsyncDisposable> {
  const gates = new Map<string, (socket: Socket) => void>();
  const waiting = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    for (const oldest of waiting) {
      if (waiting.size < WAITING) break;
      // Now, and not when it has closed: others may come before that.
      waiting.delete(oldest);
      oldest.destroy();
      sentAway();
    }
    waiting.add(socket);
    const over = new AbortController();
    const forget = (): void => {
      waiting.delete(socket);
      over.abort();
    };
    socket.on("error", () => undefined).once("close", forget);
    void expire(clock, socket, over.signal);
    hear(socket, (path) => {
      forget();
      socket.off("close", forget);
      const take = path === undefined ? undefined : gates.get(path);
      if (take !== undefined) {
        take(socket);
        return;
      }
      socket.end(NOT_FOUND);
      // Who does not hang up too would keep a file of ours.
      socket.destroySoon();
    });
  }).listen(at);
  await listening(server);
  const port = portOf(server.address());
  return {
    async open(path, take) {
      gates.set(path, take);
      return { port, close: () => void gates.delete(path) };
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of waiting) socket.destroy();
    },
  };
}

/** Calls `found` once, with the path of what is asked for first; whoever it is for reads that again, from its beginning. */
function hear(socket: Socket, found: (path: string | undefined) => void): void {
  let got = Buffer.alloc(0);
  const listen = (chunk: Buffer): void => {
    got = Buffer.concat([got, chunk]);
    const head = got.subarray(0, REQUEST_BYTES).toString("latin1");
    const [, path] = ASKS.exec(head) ?? [];
    if (path === undefined && got.length < REQUEST_BYTES && !head.includes("\n")) return;
    socket.off("data", listen).pause();
    socket.unshift(got);
    found(path);
    socket.resume();
  };
  socket.on("data", listen);
}

async function listening(server: Server): Promise<void> {
  await once(server, "listening");
  // One who cannot be let in, on a machine without another file, is not.
  server.on("error", () => undefined);
}

async function expire(clock: Clock, socket: Socket, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(PATIENCE_MS, signal);
    socket.destroy();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function portOf(address: ReturnType<ReturnType<typeof createServer>["address"]>): number {
  if (address === null || typeof address === "string") throw new TypeError("no port");
  return address.port;
}
