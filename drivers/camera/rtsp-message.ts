import { BewaardError } from "#base/errors";

/** All lines before a message's body. Cameras send some hundred bytes. */
const HEADER_BYTES = 16 * 1024;
const HEADER_LINES = 100;
/** The largest body: a session description. */
const BODY_BYTES = 64 * 1024;
/** So that what comes byte by byte is not copied anew with each. */
const SPARE_BYTES = 16 * 1024;
/** `$`, with which a frame of RTP or RTCP begins between the messages (RFC 2326 §10.12). */
const FRAME = 0x24;

/** A request or an answer of RTSP, as it stood on the line (Latin-1). */
export interface Message {
  /** Of an answer; undefined for a request. */
  readonly status: number | undefined;
  /** Of a request; empty for an answer. */
  readonly method: string;
  readonly url: string;
  /** By name in lower case. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Buffer;
}

/** What one stretch of a connection holds: messages, and runs of whole admitted frames. */
export type Unit =
  | { readonly kind: "message"; readonly message: Message }
  | { readonly kind: "frames"; readonly bytes: Buffer };

/**
 * Reads messages and interleaved frames from chunks cut anywhere. Frames for which `admit` says no are left
 * out; the others are given in runs. `type` is the second byte of the packet: of RTP its payload type and
 * marker, of RTCP its packet type. Holds at most one message or frame. The bytes of a chunk and of the runs it
 * gave are not needed, and not there, any more when the next chunk comes.
 * @throws BewaardError CAMERA_STREAM for what is neither, and for what is too large.
 */
export function openReader(
  admit: (channel: number, type: number) => boolean,
): (chunk: Buffer) => Unit[] {
  const held = openHeld();
  let needed = 1;
  return (chunk) => {
    const bytes = held.with(chunk);
    if (bytes.length < needed) {
      held.keep(bytes, 0);
      return [];
    }
    const units: Unit[] = [];
    let at = 0;
    let run = 0;
    const endRun = (): void => {
      if (at > run) units.push({ kind: "frames", bytes: bytes.subarray(run, at) });
    };
    for (;;) {
      const found = unitAt(bytes, at);
      if (typeof found === "number") {
        needed = found;
        break;
      }
      const admitted =
        found.message === undefined &&
        found.end - at >= 6 &&
        admit(bytes.readUInt8(at + 1), bytes.readUInt8(at + 5));
      if (!admitted) {
        endRun();
        if (found.message !== undefined) units.push({ kind: "message", message: found.message });
        run = found.end;
      }
      at = found.end;
    }
    endRun();
    held.keep(bytes, at);
    return units;
  };
}

/** What is not whole yet: in memory that is used again, because a camera sends some each time. */
function openHeld() {
  let room: Buffer = Buffer.alloc(0);
  let [from, to] = [0, 0];
  return {
    /** What was held, and `chunk` behind it. */
    with(chunk: Buffer): Buffer {
      if (from === to) return chunk;
      const bytes = to - from + chunk.length;
      const larger = bytes > room.length ? Buffer.allocUnsafeSlow(bytes + SPARE_BYTES) : room;
      if (larger !== room || to + chunk.length > room.length) {
        room.copy(larger, 0, from, to);
        [room, from, to] = [larger, 0, to - from];
      }
      room.set(chunk, to);
      return room.subarray(from, to + chunk.length);
    },
    /** Holds `bytes`, which `with` gave, from `at` on. */
    keep(bytes: Buffer, at: number): void {
      const left = bytes.length - at;
      if (from < to) [from, to] = [from + at, from + bytes.length];
      else {
        if (left > room.length) room = Buffer.allocUnsafeSlow(left + SPARE_BYTES);
        [from, to] = [0, bytes.copy(room, 0, at)];
      }
    },
  };
}

/** The message or frame that begins at `at`, or how many bytes from there must be seen before it is known. */
function unitAt(bytes: Buffer, at: number): { end: number; message?: Message } | number {
  const left = bytes.length - at;
  if (left === 0) return 1;
  if (bytes[at] === FRAME) {
    if (left < 4) return 4;
    const length = 4 + bytes.readUInt16BE(at + 2);
    return left < length ? length : { end: at + length };
  }
  if (!isCapital(bytes.readUInt8(at))) throw strange("something between the frames is no message");
  const end = bytes.indexOf("\r\n\r\n", at, "latin1");
  if (end < 0 ? left > HEADER_BYTES : end - at > HEADER_BYTES) {
    throw strange(`a header is longer than ${HEADER_BYTES} bytes`);
  }
  if (end < 0) return left + 1;
  const head = readHead(bytes.toString("latin1", at, end));
  const length = bodyLength(head.headers);
  const whole = end + 4 + length;
  if (bytes.length < whole) return whole - at;
  return { end: whole, message: { ...head, body: Buffer.from(bytes.subarray(end + 4, whole)) } };
}

function readHead(text: string): Omit<Message, "body"> {
  const [first = "", ...lines] = text.split("\r\n");
  if (lines.length > HEADER_LINES) throw strange(`a header has more than ${HEADER_LINES} lines`);
  const answer = /^RTSP\/1\.\d ([1-9]\d\d)(?: |$)/.exec(first);
  const request = /^([A-Z_]{1,32}) (\S{1,4096}) RTSP\/1\.\d$/.exec(first);
  if (answer === null && request === null) throw strange("a message is not RTSP 1.0");
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    // No expression finds both ends: one that tries each space of thousands takes seconds.
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).trimEnd().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name) || !isPlain(line))
      throw strange("a header line is not one");
    const values = headers.get(name);
    if (values === undefined) headers.set(name, [value]);
    else values.push(value);
  }
  return {
    status: answer === null ? undefined : Number(answer[1]),
    method: request?.[1] ?? "",
    url: request?.[2] ?? "",
    headers,
  };
}

function bodyLength(headers: ReadonlyMap<string, readonly string[]>): number {
  const [length = "0", ...others] = headers.get("content-length") ?? [];
  if (others.length > 0 || !/^\d{1,16}$/.test(length)) throw strange("a length is not a number");
  if (Number(length) > BODY_BYTES) throw strange(`a body is longer than ${BODY_BYTES} bytes`);
  return Number(length);
}

/** No character that ends a line for one reader and not for another, nor any other that steers. */
function isPlain(line: string): boolean {
  for (let at = 0; at < line.length; at += 1) {
    const code = line.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return false;
  }
  return true;
}

function isCapital(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a;
}

function strange(what: string): BewaardError {
  return new BewaardError("CAMERA_STREAM", what, { transient: true });
}
