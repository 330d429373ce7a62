import type { Socket } from "node:net";
import { BewaardError } from "#base/errors";
import type { Clock } from "#base/time";
import type { Message } from "./rtsp-message.ts";
import { isTimeout, within } from "./within.ts";

/** How long a camera may take for one answer. */
const ANSWER_MS = 5000;

/** Requests and the answers to them, by their number. */
export interface Exchange {
  /**
   * Sends a request and resolves with its answer, whatever that says.
   * @throws BewaardError CAMERA_STALLED (transient) after 5 s.
   */
  readonly send: (method: string, url: string, headers: readonly string[]) => Promise<Message>;
  /** To be given each message that comes. @throws BewaardError CAMERA_REFUSED for a redirection. */
  readonly hear: (message: Message) => void;
}

/** Until `signal` aborts; requests that wait reject with its reason then. */
export function openExchange(clock: Clock, socket: Socket, signal: AbortSignal): Exchange {
  const waiting = new Map<string, (answer: Message) => void>();
  let count = 0;
  return {
    async send(method, url, headers) {
      count += 1;
      const number = String(count);
      const answer = Promise.withResolvers<Message>();
      waiting.set(number, answer.resolve);
      write(socket, [`${method} ${url} RTSP/1.0`, `CSeq: ${number}`, ...headers]);
      try {
        return await within(clock, ANSWER_MS, () => answer.promise, signal);
      } catch (error) {
        if (!isTimeout(error)) throw error;
        throw new BewaardError("CAMERA_STALLED", `no answer to ${method}`, { transient: true });
      } finally {
        waiting.delete(number);
      }
    },
    hear(message) {
      const { status, headers } = message;
      if (status === undefined) decline(socket, message);
      // Below 200 it only says that it has not forgotten.
      else if (status >= 200) waiting.get(headers.get("cseq")?.[0] ?? "")?.(message);
    },
  };
}

/** Answers what a camera asks of us: nothing of it is needed, and a redirection least of all. */
function decline(socket: Socket, { method, headers }: Message): void {
  if (method === "REDIRECT") throw new BewaardError("CAMERA_REFUSED", "it sends us elsewhere");
  const number = headers.get("cseq")?.[0] ?? "";
  if (/^\d{1,10}$/.test(number)) write(socket, ["RTSP/1.0 501 Not Implemented", `CSeq: ${number}`]);
}

function write(socket: Socket, lines: readonly string[]): void {
  if (socket.writable) socket.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}
