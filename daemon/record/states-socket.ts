import { once } from "node:events";
import { chmod, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { z } from "zod";
import { deadline } from "#base/deadline";
import { BewaardError } from "#base/errors";
import { parseDeviceId } from "#base/ids";
import { instant, SECOND_MS } from "#base/time";
import { type Board, CAMERA_STATES, type Shown } from "./board.ts";

// What the recorder's cameras are doing, for `bewaarctl cameras list`: whoever connects is sent one line of
// JSON. News that may be lost: facts go through incoming/.

const PATIENCE_MS = 5 * SECOND_MS;

const shown = z.strictObject({
  device: z.string().transform(parseDeviceId),
  state: z.enum(CAMERA_STATES),
  since: z.int().transform(instant),
  code: z.string().nullable(),
  offsetMs: z.int().nullable(),
});
const answer = z.strictObject({ cameras: z.array(shown) });

/**
 * Tells what is on `board` at the socket `path` until the signal aborts. A socket left by a crash is
 * replaced: the lease says that no other recorder runs.
 */
export async function tellStates(path: string, board: Board, signal: AbortSignal): Promise<void> {
  await rm(path, { force: true });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // One that hangs up does not concern anybody else.
    socket.on("error", () => undefined);
    socket.setTimeout(PATIENCE_MS).on("timeout", () => socket.destroy());
    socket.resume().end(`${JSON.stringify({ cameras: board.all() })}\n`);
  });
  try {
    server.listen(path);
    await once(server, "listening");
    // One who cannot be let in, on a machine without another file, is not.
    server.on("error", () => undefined);
    await chmod(path, 0o660);
    if (!signal.aborted) await once(signal, "abort");
  } finally {
    server.close();
    for (const socket of sockets) socket.destroy();
  }
}

/**
 * What the recorder that listens at `path` says of its cameras.
 * @throws BewaardError CONTROL_UNREACHABLE (transient) when none does.
 */
export async function askStates(path: string, signal: AbortSignal): Promise<readonly Shown[]> {
  const socket = connect({ path, signal: deadline(PATIENCE_MS, signal) });
  try {
    let text = "";
    for await (const chunk of socket.setEncoding("utf8")) text += String(chunk);
    return answer.parse(JSON.parse(text)).cameras;
  } catch (cause) {
    if (signal.aborted) throw cause;
    const message = `no recorder answers at ${path}: does \`bewaard run record\` run?`;
    throw new BewaardError("CONTROL_UNREACHABLE", message, { transient: true, cause });
  }
}
