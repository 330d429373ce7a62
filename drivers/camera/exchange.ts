import type { Socket } from "node:net";
import { BewaardError } from "#base/errors";
import { type Clock, SECOND_MS } from "#base/time";
import type { Message } from "./rtsp-message.ts";
import { isTimeout, within } from "./within.ts";

/** How long a camera may take for one answer. */
const ANSWER_MS = 5000;
/** More that waits to be read by a camera, and it does not read. All that is sent in an hour is less. */
const WAITING_BYTES = 64 * 1024;
/**
 * Messages nobody asked for, within ten seconds: requests, and answers to nothing. An honest camera sends few;
 * among them answers that come after five seconds.
 */
const UNASKED = 50;
const UNASKED_MS = 10 * SECOND_MS;

/** Requests and the answers to them, by their number. */
export interface Exchange {
  /**
   * Sends a request and resolves with its answer, whatever that says.
   * @throws BewaardError CAMERA_STALLED (transient) after 5 s; CAMERA_STREAM for a camera that reads nothing.
   */
  readonly send: (method: string, url: string, headers: readonly string[]) => Promise<Message>;
  /** Sends a frame of ours. @throws BewaardError CAMERA_STREAM for a camera that reads nothing. */
  readonly sendFrame: (frame: Buffer) => void;
  /**
   * To be given each message that comes.
   * @throws BewaardError CAMERA_REFUSED for a redirection; CAMERA_STREAM for a flood of what nobody asked for,
   *   and for a camera that asks and reads no answer.
   */
  readonly hear: (message: Message) => void;
}

/** Until `signal` aborts; requests that wait reject with its reason then. */
export function openExchange(clock: Clock, socket: Socket, signal: AbortSignal): Exchange {
  const waiting = new Map<string, (answer: Message) => void>();
  const countUnasked = openUnasked(clock);
  let count = 0;
  return {
    async send(method, url, headers) {
      count += 1;
      const number = String(count);
      const answer = Promise.withResolvers<Message>();
      waiting.set(number, answer.resolve);
      try {
        write(socket, [`${method} ${url} RTSP/1.0`, `CSeq: ${number}`, ...headers]);
        return await within(clock, ANSWER_MS, () => answer.promise, signal);
      } catch (error) {
        if (!isTimeout(error)) throw error;
        throw new BewaardError("CAMERA_STALLED", `no answer to ${method}`, { transient: true });
      } finally {
        waiting.delete(number);
      }
    },
    sendFrame: (frame) => write(socket, frame),
    hear(message) {
      const { status, headers } = message;
      const number = headers.get("cseq")?.[0] ?? "";
      // Below 200 it only says that it has not forgotten.
      const asked = status !== undefined && status >= 200 ? waiting.get(number) : undefined;
      if (asked === undefined) countUnasked();
      else waiting.delete(number);
      asked?.(message);
      if (status === undefined) decline(socket, message);
    },
  };
}

/** Throws at one too many. */
function openUnasked(clock: Clock): () => void {
  let count = 0;
  let sinceMs = clock.uptimeMs();
  return () => {
    if (clock.uptimeMs() - sinceMs > UNASKED_MS) {
      sinceMs = clock.uptimeMs();
      count = 0;
    }
    count += 1;
    if (count > UNASKED) throw strange("it floods us with messages that nobody asked for");
  };
}

/** Answers what a camera asks of us: nothing of it is needed, and a redirection least of all. */
function decline(socket: Socket, { method, headers }: Message): void {
  if (method === "REDIRECT") throw new BewaardError("CAMERA_REFUSED", "it sends us elsewhere");
  const number = headers.get("cseq")?.[0] ?? "";
  if (/^\d{1,10}$/.test(number)) write(socket, ["RTSP/1.0 501 Not Implemented", `CSeq: ${number}`]);
}

function write(socket: Socket, sent: Buffer | readonly string[]): void {
  if (!socket.writable) return;
  if (socket.writableLength > WAITING_BYTES) throw strange("it does not read what it is sent");
  socket.write(
    sent instanceof Buffer ? sent : Buffer.from(`${sent.join("\r\n")}\r\n\r\n`, "latin1"),
  );
}

function strange(what: string): BewaardError {
  return new BewaardError("CAMERA_STREAM", what, { transient: true });
}
