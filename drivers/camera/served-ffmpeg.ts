import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { deadline } from "#base/deadline";
import { BewaardError, isAbort, systemCode } from "#base/errors";
import { machineBusy } from "#base/machine-busy";
import { untakeable } from "./boxes.ts";
import type { StartFfmpeg } from "./ffmpeg.ts";

/** systemd gives it four seconds to end (systemd/bewaard-ffmpeg@.service). */
const PATIENCE_MS = 8000;
/** Less than a camera is given for its first picture, which would then be what is told. */
const START_MS = 14_000;
/** What repack-stream.sh says first: that it runs, with an ffmpeg or without. */
const RUNS = "+";
const ABSENT = "-";
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
      throw NOBODY.has(systemCode(error) ?? "")
        ? missing(path, error)
        : (machineBusy(error) ?? error);
    }
    // Whoever reads hears of it too; after that it is of no interest.
    socket.on("error", () => undefined);
    await started(socket);
    const ended = Promise.withResolvers<BewaardError | undefined>();
    socket.once("close", () =>
      ended.resolve(
        socket.bytesRead <= RUNS.length
          ? untakeable("ffmpeg gave nothing: journalctl -u 'bewaard-ffmpeg*'")
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

/**
 * Resolves once the script of the unit has said that it runs. What comes without that is systemd's: too many at once, a room
 * that could not be made.
 * @throws BewaardError TOOL_NOT_STARTED (transient), TOOL_MISSING.
 */
async function started(socket: Socket): Promise<void> {
  const says = await firstByte(socket);
  if (says === RUNS) return;
  socket.destroy();
  if (says === ABSENT)
    throw new BewaardError("TOOL_MISSING", "ffmpeg is not installed: apt-get install ffmpeg");
  const message = "systemd did not start ffmpeg: journalctl -u 'bewaard-ffmpeg*'";
  throw new BewaardError("TOOL_NOT_STARTED", message, { transient: true });
}

async function firstByte(socket: Socket): Promise<string | undefined> {
  const gone = new AbortController();
  socket.once("close", () => gone.abort());
  const over = deadline(START_MS, gone.signal);
  try {
    for (;;) {
      const byte: unknown = socket.read(1);
      if (Buffer.isBuffer(byte)) return byte.toString("latin1");
      await once(socket, "readable", { signal: over });
    }
  } catch (error) {
    if (over.aborted || systemCode(error) !== undefined) return undefined;
    throw error;
  }
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
    if (!isAbort(error) && systemCode(error) === undefined) throw error;
  }
}

function missing(path: string, cause: unknown): BewaardError {
  const message = `${path} does not answer: systemctl status 'bewaard-ffmpeg*.socket'`;
  return new BewaardError("TOOL_MISSING", message, { cause });
}
