import { setTimeout as wait } from "node:timers/promises";
import { getSystemErrorMap } from "node:util";
import { openInTurn } from "#base/in-turn";

/** Sends datagrams to one unix socket, in the order in which it is asked to. */
export interface Datagrams extends Disposable {
  /**
   * Resolves once the kernel has all of `datagram`; waits, for ever, for a reader that does not read. Rejects
   * with a system error: ENOENT or ECONNREFUSED (nobody there), EMSGSIZE (more than the kernel takes at once),
   * ENOBUFS (too many wait already), ECANCELED (disposed of meanwhile).
   */
  send(datagram: Buffer): Promise<void>;
}

/** Whoever has more to say at once than this must wait for what it said before. */
const MOST_WAITING = 1024;
const LONGEST_WAIT_MS = 64;

/**
 * Datagrams to the socket at `path`. Nothing is opened before the first is sent, and nothing is kept open in
 * between, so that this never keeps a process from ending. Throws a TypeError for a name that is no path: the
 * library gives abstract names (`@…`) to the kernel with zeros behind them, which is another name.
 */
export function openDatagrams(path: string): Datagrams {
  if (!path.startsWith("/")) throw new TypeError(`no path of a socket: ${path}`);
  const inTurn = openInTurn();
  const closing = new AbortController();
  let waiting = 0;
  return {
    send: async (datagram) => {
      if (waiting >= MOST_WAITING) throw systemError("ENOBUFS", path);
      waiting += 1;
      try {
        await inTurn(() => sendPatiently(datagram, path, closing.signal));
      } finally {
        waiting -= 1;
      }
    },
    [Symbol.dispose]: () => closing.abort(),
  };
}

async function sendPatiently(datagram: Buffer, path: string, closed: AbortSignal): Promise<void> {
  for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, LONGEST_WAIT_MS)) {
    if (closed.aborted) throw systemError("ECANCELED", path);
    if (await isTaken(datagram, path)) return;
    try {
      await wait(pauseMs, undefined, { signal: closed });
    } catch (error) {
      if (!closed.aborted) throw error;
    }
  }
}

/**
 * Whether the kernel took it. The library tells so at once, or queues it and asks the kernel, in each turn of the
 * event loop and ever after, whether a socket without a peer may write: always, whether or not the reader has
 * room. So what is not taken at once is taken back, with its socket, and sent again after a while.
 */
async function isTaken(datagram: Buffer, path: string): Promise<boolean> {
  const socket = await openSocket();
  let isDone = false;
  let failure: Error | undefined;
  try {
    // Its third number must never be more than there is: the library ends the process.
    socket.sendTo(datagram, 0, datagram.length, path, (error) => {
      isDone = true;
      failure = error;
    });
  } finally {
    socket.close();
  }
  if (failure) throw named(failure, path);
  return isDone;
}

/** Loaded when first needed: some 6 MB, and 8 ms. */
async function openSocket() {
  // The library makes Node's report to learn which libc this is: that would ask DNS for the names of all peers.
  Object.assign(process.report, { excludeNetwork: true });
  const { DgramSocket } = await import("node-unix-socket");
  return new DgramSocket();
}

/** The library gives what the C library says of an error, without its name. */
function named(failure: Error, path: string): Error {
  const said = failure.message.toLowerCase();
  const [name] = [...getSystemErrorMap().values()].find(([, says]) => says === said) ?? ["EIO"];
  return systemError(name, path, failure);
}

function systemError(code: string, path: string, cause?: Error): Error {
  return Object.assign(new Error(`${code}: a datagram to ${path}`, { cause }), { code });
}
