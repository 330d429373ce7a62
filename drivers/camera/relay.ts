import type { Socket } from "node:net";
import { BewaardError } from "#base/errors";
import type { Clock } from "#base/time";

/** Frames wait at most so long for others to go with them: decision 0020. */
const GATHER_MS = 40;
/** More than this goes at once. */
const GATHER_BYTES = 64 * 1024;
/** At 4 Mbit/s, eight seconds: a reader that is that far behind does not come back. */
const WAITING_BYTES = 4 * 1024 * 1024;

/** Takes the camera's frames to the one reader, in few writes. */
export interface Relay {
  /**
   * Takes whole frames; never waits.
   * @throws BewaardError CAMERA_STREAM (transient) when the reader is 4 MiB behind.
   */
  readonly take: (frames: Buffer) => void;
  /** Lets what was taken, and what will be, go to `reader`. */
  readonly begin: (reader: Socket) => void;
  /** Lets the last frames go, and then the reader. */
  readonly end: () => void;
}

/** Gathers until `signal` aborts. Each write wakes the reader once: fewer are cheaper for both. */
export function openRelay(clock: Clock, signal: AbortSignal): Relay {
  let reader: Socket | undefined;
  let gathered: Buffer[] = [];
  let gatheredBytes = 0;
  let gathering = false;

  function flush(): void {
    if (reader === undefined || gatheredBytes === 0) return;
    if (reader.writable) reader.write(Buffer.concat(gathered, gatheredBytes));
    gathered = [];
    gatheredBytes = 0;
  }

  async function flushLater(): Promise<void> {
    gathering = true;
    try {
      await clock.sleep(GATHER_MS, signal);
      flush();
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      gathering = false;
    }
  }

  return {
    take(frames) {
      if (gatheredBytes + (reader?.writableLength ?? 0) + frames.length > WAITING_BYTES) {
        throw new BewaardError("CAMERA_STREAM", "its stream is not read", { transient: true });
      }
      gathered.push(frames);
      gatheredBytes += frames.length;
      if (gatheredBytes >= GATHER_BYTES) flush();
      else if (!gathering) void flushLater();
    },
    begin(socket) {
      reader = socket;
      flush();
    },
    end() {
      flush();
      reader?.end();
    },
  };
}
