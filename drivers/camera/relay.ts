import type { Socket } from "node:net";
import { BewaardError } from "#base/errors";
import { freeNow } from "#base/free-now";
import type { Clock } from "#base/time";
import type { VideoCodec } from "./address.ts";
import { type Joiner, openJoiner } from "./join-units.ts";

/**
 * Frames wait at most so long for others to go with them: decision 0020. No usual picture rate is a part of
 * it, so no stream always waits as long.
 */
const GATHER_MS = 73;
/** One frame, the largest there is; what is more goes at once. */
const ROOM_BYTES = 4 + 65_535;
/** At 4 Mbit/s, eight seconds: a reader that is that far behind does not come back. */
const WAITING_BYTES = 4 * 1024 * 1024;

/** Takes the camera's frames to the one reader, in few writes. */
export interface Relay {
  /** The video comes on `channel`, from now on: its packets are joined to fewer. */
  readonly join: (channel: number, codec: VideoCodec) => void;
  /**
   * Takes whole frames, and copies them; never waits.
   * @throws BewaardError CAMERA_STREAM (transient) when the reader is 4 MiB behind.
   */
  readonly take: (frames: Buffer) => void;
  /** Lets what was taken, and what will be, go to `reader`. */
  readonly begin: (reader: Socket) => void;
  /** Lets the last frames go, and then the reader; one that begins after it, too: a camera may be lost while it is told to play. */
  readonly end: () => void;
}

/** Gathers until `signal` aborts. Each write wakes the reader once: fewer are cheaper for both. */
export function openRelay(clock: Clock, signal: AbortSignal): Relay {
  let reader: Socket | undefined;
  let isOver = false;
  const rooms = openRooms();
  /** What goes next; its first `filled` bytes are taken. */
  let room = rooms.take();
  let filled = 0;
  /** Taken before the reader plays. */
  let early: Buffer[] = [];
  let earlyBytes = 0;
  let video: number | undefined;
  let joiner: Joiner | undefined;

  /** Only whole frames: an answer to the reader may go between two writes. */
  function flush(): void {
    if (joiner) filled = joiner.end(room, filled);
    if (filled === 0) return;
    const full = room;
    const bytes = full.subarray(0, filled);
    room = rooms.take();
    filled = 0;
    write(bytes, () => rooms.give(full));
  }

  function write(bytes: Buffer, written: () => void): void {
    if (reader === undefined) {
      early.push(bytes);
      earlyBytes += ROOM_BYTES;
    } else if (reader.writable) reader.write(bytes, written);
  }

  function add(frame: Buffer): void {
    if (filled + frame.length > room.length) flush();
    if (frame[1] === video && joiner) filled = joiner.add(frame, room, filled);
    else {
      if (joiner) filled = joiner.end(room, filled);
      filled += frame.copy(room, filled);
    }
  }

  const flushLater = openGathering(clock, flush, signal);

  return {
    join(channel, codec) {
      [video, joiner] = [channel, openJoiner(codec)];
    },
    take(frames) {
      if (earlyBytes + (reader?.writableLength ?? 0) + frames.length > WAITING_BYTES) {
        throw new BewaardError("CAMERA_STREAM", "its stream is not read", { transient: true });
      }
      for (let at = 0; at < frames.length; ) {
        const end = at + 4 + frames.readUInt16BE(at + 2);
        add(frames.subarray(at, end));
        at = end;
      }
      if (filled > 0) flushLater();
    },
    begin(socket) {
      reader = socket;
      for (const bytes of early) write(bytes, () => undefined);
      [early, earlyBytes] = [[], 0];
      flush();
      if (isOver) socket.end();
    },
    end() {
      isOver = true;
      flush();
      reader?.end();
    },
  };
}

/** Flushes a little later, once for all that asked meanwhile. */
function openGathering(clock: Clock, flush: () => void, signal: AbortSignal): () => void {
  let gathering = false;
  async function gather(): Promise<void> {
    gathering = true;
    try {
      // All relays at the same moments: the process wakes once for all of them.
      await clock.sleep(GATHER_MS - (clock.uptimeMs() % GATHER_MS), signal);
      flush();
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      gathering = false;
    }
  }
  return () => {
    if (!gathering) void gather();
  };
}

/** Used again once written: a new one for each write would be most of what writing costs. */
function openRooms() {
  let spare: Buffer | undefined;
  return {
    take(): Buffer {
      const room = spare ?? Buffer.allocUnsafeSlow(ROOM_BYTES);
      spare = undefined;
      return room;
    },
    give(room: Buffer): void {
      if (spare === undefined) spare = room;
      else freeNow(room);
    },
  };
}
