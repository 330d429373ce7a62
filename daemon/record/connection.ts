import { BewaardError } from "#base/errors";
import { freeNow } from "#base/free-now";
import { type Clock, SECOND_MS } from "#base/time";
import type { CameraAddress, Offer } from "../../drivers/camera/address.ts";
import { openDamage } from "../../drivers/camera/damage.ts";
import { type Fragment, openFragments } from "../../drivers/camera/fragments.ts";
import { type Gate, openGate } from "../../drivers/camera/gate.ts";
import type { Init } from "../../drivers/camera/init.ts";
import { openRemux } from "../../drivers/camera/remux.ts";
import { openStreamClock, type StreamClock } from "../../drivers/camera/stream-clock.ts";
import type { Live } from "./live.ts";
import type { RecordedCamera } from "./recorded.ts";
import { takeStream } from "./take-stream.ts";

/** What is heard of a connection while it lasts. */
export interface Hears {
  /** What the camera offers, before anything of it is taken. */
  offered(offer: Offer): void;
  /** A whole fragment came. */
  heard(fragment: Fragment, stream: StreamClock): void;
  /** A process other than our ffmpeg asked for the stream, and was refused. */
  intruded(): void;
}

/** ffmpeg ends before the gate has said why. */
const WHY_MS = 2 * SECOND_MS;

/**
 * Records what a camera sends over one connection, until `signal` aborts; and shows it at `live`, if given.
 * @throws BewaardError CAMERA_… when the connection ends by itself; what was recorded by then is kept.
 */
export async function recordConnection(
  recorded: RecordedCamera,
  live: Live | undefined,
  address: CameraAddress,
  hears: Hears,
  signal: AbortSignal,
): Promise<void> {
  const { clock, device, reading } = recorded;
  await using gate = await openGate(clock, address, signal, reading.door);
  hears.offered(gate.offer);
  await using remux = await openRemux(gate.url, gate.offer, reading.start);
  gate.admit(remux.reader, () => hears.intruded());
  const stop = (): void => void remux[Symbol.asyncDispose]();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const stream = openStreamClock(clock, gate.reported);
  const damage = openDamage();

  async function* arriving(): AsyncGenerator<Init | Fragment, void, undefined> {
    for await (const piece of remux.read(openFragments())) {
      if (piece.kind === "init") refuseSound(piece, gate.offer);
      else {
        stream.hear(piece);
        damage.hear(piece, gate.missing());
        hears.heard(piece, stream);
      }
      live?.show(device, piece);
      yield piece;
      // Sealed and passed on by now.
      if (piece.kind === "fragment") for (const bytes of piece.bytes) freeNow(bytes);
    }
  }

  try {
    await takeStream({ ...recorded, damaged: damage.within }, stream, arriving());
  } catch (error) {
    // Of a stream that broke off ffmpeg may say anything; the gate knows whether the camera did it.
    if (!(error instanceof BewaardError && error.code === "CAMERA_STREAM")) throw error;
    throw (await lostWithin(clock, gate, signal)) ?? error;
  } finally {
    signal.removeEventListener("abort", stop);
    live?.end(device);
  }
  if (!signal.aborted) throw await whyEnded(clock, gate, signal);
}

/** Sound that nobody allowed is not kept, however it came (AR-14). */
function refuseSound(init: Init, { audio }: Offer): void {
  if (audio === undefined && init.tracks.some(({ kind }) => kind !== "video"))
    throw new BewaardError("CAMERA_STREAM", "sound came that was not asked for", {
      transient: true,
    });
}

async function whyEnded(clock: Clock, gate: Gate, signal: AbortSignal): Promise<BewaardError> {
  const lost = await lostWithin(clock, gate, signal);
  return lost ?? new BewaardError("CAMERA_STREAM", "ffmpeg ended by itself", { transient: true });
}

async function lostWithin(
  clock: Clock,
  gate: Gate,
  signal: AbortSignal,
): Promise<BewaardError | undefined> {
  const late = new AbortController();
  const ended = AbortSignal.any([signal, late.signal]);
  const wait = clock.sleep(WHY_MS, ended).catch((error: unknown) => {
    if (!ended.aborted) throw error;
  });
  try {
    return (await Promise.race([gate.lost, wait])) ?? undefined;
  } finally {
    late.abort();
  }
}
