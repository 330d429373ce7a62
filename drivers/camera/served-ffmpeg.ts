import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { deadline } from "#base/deadline";
import { BewaardError, systemCode } from "#base/errors";
import { machineBusy } from "#base/machine-busy";
import { untakeable } from "./boxes.ts";
import type { StartFfmpeg } from "./ffmpeg.ts";

/** systemd gives it four seconds to end (systemd/bewaard-ffmpeg@.service). */
const PATIENCE_MS = 8000;
const NOBODY = new Set(["ENOENT", "ECONNREFUSED", "EACCES"]);

/**
 * Has systemd start ffmpeg, behind the socket at `path`, as somebody who can reach nothing but the gates
 * (docs/decisions/0033). What it says is in the journal. Whoever hangs up ends it.
 */
export function servesFfmpeg(path: string): StartFfmpeg {
  return async (words) => {
    const socket = connect(path);
    try {
      await once(socket, "connect");
    } catch (error) {
      throw NOBODY.has(systemCode(error) ?? "") ? missing(error) : (machineBusy(error) ?? error);
    }
    const ended = Promise.withResolvers<BewaardError | undefined>();
    // Whoever reads hears of it too; after that it is of no interest.
    socket.on("error", () => undefined);
    socket.once("close", () =>
      ended.resolve(
        socket.bytesRead === 0
          ? untakeable("ffmpeg gave nothing: journalctl -t bewaard-ffmpeg")
          : undefined,
      ),
    );
    socket.write([...words, ""].map((word) => `${word}\0`).join(""));
    return {
      reader: "whoever connects",
      output: socket,
      ended: ended.promise,
      stop: () => hangUp(socket),
    };
  };
}

/** Says that nothing more is wanted, and waits for the end of what comes, if somebody reads it. */
async function hangUp(socket: Socket): Promise<void> {
  if (socket.closed) return;
  if (socket.listenerCount("data") === 0) {
    socket.destroy();
    return;
  }
  socket.end();
  try {
    await once(socket, "close", { signal: deadline(PATIENCE_MS, new AbortController().signal) });
  } catch (error) {
    if (!(error instanceof Error && error.name === "AbortError") && systemCode(error) === undefined)
      throw error;
  }
}

function missing(cause: unknown): BewaardError {
  const message = "bewaard-ffmpeg.socket does not answer: systemctl status bewaard-ffmpeg.socket";
  return new BewaardError("TOOL_MISSING", message, { cause });
}
