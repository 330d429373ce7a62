import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { BewaardError } from "#base/errors";
import type { Clock } from "#base/time";
import type { Door } from "./door.ts";
import type { Reader } from "./ffmpeg.ts";
import { type Offered, openAnswers } from "./gate-answers.ts";
import { holderOf } from "./peer-process.ts";
import { type Message, openReader } from "./rtsp-message.ts";

/** Connections that have not shown the path yet. Only one program here has a reason to make one. */
const STRANGERS = 8;
/** How long one may take to show it, and to be found to be the reader. */
const STRANGER_MS = 5000;
/** Requests that wait for their turn. ffmpeg sends one after the other. */
const QUEUED = 16;
const NOT_FOUND = "RTSP/1.0 404 Not Found\r\n\r\n";

export interface GateListener extends AsyncDisposable {
  readonly url: string;
  /**
   * Says who is the reader; until then nobody is. `onOther` is called for each other process that knows the path, and
   * is refused.
   */
  admit(who: Reader, onOther: () => void): void;
}

/**
 * Listens at `door` for one reader: the process that was admitted, with a path of 128 random bits. Once it
 * has shown the path, nobody else can connect; before, everybody else gets a 404, also with the path.
 */
export async function openListener(
  clock: Clock,
  door: Door,
  offered: Offered,
): Promise<GateListener> {
  const sockets = new Set<Socket>();
  /** Those that have not shown the path, the oldest first. */
  const strangers = new Set<Socket>();
  const path = `/${randomBytes(16).toString("hex")}`;
  const admitted = Promise.withResolvers<(socket: Socket) => Promise<boolean>>();
  let reader: Socket | undefined;

  async function claim(socket: Socket): Promise<boolean> {
    if (reader === socket) return true;
    strangers.delete(socket);
    const isReader = await admitted.promise;
    if (!(await isReader(socket)) || reader !== undefined || socket.destroyed) return false;
    reader = socket;
    opening.close();
    // Who has shown the path too is looked at first, and told of.
    for (const other of strangers) other.destroy();
    return true;
  }

  const opening = await door.open(path, (socket) => {
    // The oldest goes: whoever keeps eight of them open keeps nobody out.
    for (const oldest of strangers) {
      if (strangers.size < STRANGERS) break;
      strangers.delete(oldest);
      oldest.destroy();
    }
    sockets.add(socket);
    strangers.add(socket);
    const gone = new AbortController();
    socket.on("close", () => {
      sockets.delete(socket);
      strangers.delete(socket);
      gone.abort();
    });
    // A reader that was killed resets its connection. Its owner notices.
    socket.on("error", () => undefined);
    void expire(clock, () => socket !== reader && socket.destroy(), gone.signal);
    serve(socket, path, () => claim(socket), offered);
  });
  return {
    url: `rtsp://127.0.0.1:${opening.port}${path}`,
    admit(who, onOther) {
      if (who === undefined) return;
      admitted.resolve(async (socket) => {
        if (who === "whoever connects") return true;
        const holder = await holderOf(socket, who);
        if (holder === "another") onOther();
        return holder === "it";
      });
    },
    async [Symbol.asyncDispose]() {
      opening.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Answers what comes on `socket`, in turn, once `claim` has said that its reader may be answered. */
function serve(
  socket: Socket,
  path: string,
  claim: () => Promise<boolean>,
  offered: Offered,
): void {
  const read = openReader(() => false);
  const answer = openAnswers(socket, offered);
  let queued = 0;
  let turn = Promise.resolve();

  async function take(message: Message, asked: string): Promise<void> {
    if (!socket.writable) return;
    if (await claim()) await answer(message, asked);
    else if (socket.writable) socket.end(NOT_FOUND);
    // Who asks and does not read is not answered further.
    await drained(socket);
    queued -= 1;
  }

  socket.on("data", (chunk: Buffer) => {
    try {
      for (const unit of read(chunk)) {
        if (unit.kind === "frames") continue;
        const asked = trackAsked(unit.message, path);
        if (asked === undefined) {
          socket.end(NOT_FOUND);
          return;
        }
        if (queued === QUEUED) {
          socket.destroy();
          return;
        }
        queued += 1;
        turn = turn.then(() => take(unit.message, asked));
      }
    } catch (error) {
      if (!(error instanceof BewaardError)) throw error;
      socket.destroy();
    }
  });
}

async function drained(socket: Socket): Promise<void> {
  if (!socket.writableNeedDrain || socket.destroyed) return;
  const over = Promise.withResolvers<void>();
  socket.once("drain", over.resolve);
  socket.once("close", over.resolve);
  await over.promise;
  socket.off("drain", over.resolve);
  socket.off("close", over.resolve);
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
