import { once } from "node:events";
import type { FileHandle } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { deadline } from "#base/deadline";
import { systemCode } from "#base/errors";

/** What the unit takes of a film at most: its beginning, and its end, where most have their index. */
const PART_BYTES = 8 * 1024 * 1024;
const MOST_SAID_BYTES = 64 * 1024;
const LATE_MS = 10_000;

/**
 * Asks the ffprobe behind the socket at `path` (systemd/bewaard-ffprobe.socket) of an open film, which is sent there: its
 * first and its last 8 MiB, and how long it is. Resolves to what it said, `undefined` when it said nothing that is JSON.
 * Takes 10 s at most. Never throws because of the film, nor because it cannot be read.
 */
export async function askServed(
  file: FileHandle,
  path: string,
): Promise<{ readonly said: unknown } | "absent" | "late" | undefined> {
  const late = deadline(LATE_MS, new AbortController().signal);
  const socket = connect(path);
  // Said by what follows, or of no interest any more.
  socket.on("error", () => undefined);
  try {
    await once(socket, "connect", { signal: late });
    const { size } = await file.stat();
    // It says what it found, and hangs up, without the rest of a film that is none.
    const sent = pipeline(partsOf(file, size), socket, { signal: late, end: true });
    const [said] = await Promise.all([answerOf(socket, late), sent.catch(() => undefined)]);
    if (said.trim() === "absent") return "absent";
    return { said: JSON.parse(said) };
  } catch (error) {
    if (late.aborted) return "late";
    if (error instanceof SyntaxError) return undefined;
    const code = systemCode(error);
    if (code === undefined) throw error;
    const nobody = ["ENOENT", "ECONNREFUSED", "EACCES"].includes(code);
    return nobody ? "absent" : undefined;
  } finally {
    socket.destroy();
  }
}

async function* partsOf(file: FileHandle, size: number): AsyncGenerator<Uint8Array, void> {
  const begins = Math.min(size, PART_BYTES);
  yield Buffer.from(`${size} ${begins}\n`);
  yield* bytesOf(file, 0, begins);
  yield* bytesOf(file, Math.max(begins, size - PART_BYTES), size);
}

async function* bytesOf(
  file: FileHandle,
  from: number,
  to: number,
): AsyncGenerator<Uint8Array, void> {
  for (let at = from; at < to; ) {
    const piece = Buffer.allocUnsafe(Math.min(to - at, 256 * 1024));
    const { bytesRead } = await file.read(piece, 0, piece.length, at);
    if (bytesRead === 0) return;
    yield piece.subarray(0, bytesRead);
    at += bytesRead;
  }
}

async function answerOf(socket: Socket, late: AbortSignal): Promise<string> {
  let size = 0;
  const short = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
    for await (const chunk of chunks) {
      size += chunk.length;
      if (size > MOST_SAID_BYTES) return;
      yield chunk;
    }
  };
  late.addEventListener("abort", () => socket.destroy(), { once: true });
  return (await buffer(short(socket))).toString("utf8");
}
