import { connect, type Socket } from "node:net";
import { z } from "zod";
import { deadline } from "#base/deadline";
import { BewaardError } from "#base/errors";
import { parseDeviceId } from "#base/ids";
import { instant, SECOND_MS } from "#base/time";
import { listenAt } from "../control/listen.ts";
import { type Board, CAMERA_STATES, type Shown } from "./board.ts";

// What the recorder's cameras are doing, for `bewaarctl cameras list`: whoever connects is sent one line of
// JSON. News that may be lost: facts go through incoming/.

const PATIENCE_MS = 5 * SECOND_MS;
/** What a thousand cameras take, several times over. */
const MOST_CHARACTERS = 1024 * 1024;

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
  const letIn = (socket: Socket): void => {
    socket.setTimeout(PATIENCE_MS).on("timeout", () => socket.destroy());
    socket.resume().end(`${JSON.stringify({ cameras: board.all() })}\n`);
  };
  await listenAt(path, letIn, signal);
}

/**
 * What the recorder that listens at `path` says of its cameras.
 * @throws BewaardError CONTROL_UNREACHABLE (transient) when none does.
 */
export async function askStates(path: string, signal: AbortSignal): Promise<readonly Shown[]> {
  const socket = connect({ path, signal: deadline(PATIENCE_MS, signal) });
  try {
    let text = "";
    for await (const chunk of socket.setEncoding("utf8")) {
      text += String(chunk);
      // Core asks as well, and who took over the recorder need never end.
      if (text.length > MOST_CHARACTERS) throw new RangeError("more than any recorder says");
    }
    return answer.parse(JSON.parse(text)).cameras;
  } catch (cause) {
    if (signal.aborted) throw cause;
    const message = `no recorder answers at ${path}: does \`bewaard run record\` run?`;
    throw new BewaardError("CONTROL_UNREACHABLE", message, { transient: true, cause });
  }
}
