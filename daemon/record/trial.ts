import { deadline } from "#base/deadline";
import { BewaardError } from "#base/errors";
import { type Clock, SECOND_MS } from "#base/time";
import type { AudioCodec, CameraAddress, VideoCodec } from "../../drivers/camera/address.ts";
import type { CameraTime } from "../../drivers/camera/camera-time.ts";
import { type Fragment, openFragments } from "../../drivers/camera/fragments.ts";
import { type Gate, openGate } from "../../drivers/camera/gate.ts";
import type { Init } from "../../drivers/camera/init.ts";
import { openRemux } from "../../drivers/camera/remux.ts";
import { seiNames } from "../../drivers/camera/sei.ts";
import { openStreamClock } from "../../drivers/camera/stream-clock.ts";
import { isTimeout, within } from "../../drivers/camera/within.ts";

/** What ten seconds of a camera's stream are. Nothing of them is kept. */
export interface Trial {
  readonly video: VideoCodec;
  /** As RFC 6381 writes it: avc1.64001f. */
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  /** The longest time between two pictures that need none before them; null when there were no two. */
  readonly gopMs: number | null;
  readonly bitsPerSecond: number;
  /** The camera's clock less ours, and how that is known. */
  readonly clock: CameraTime;
  readonly soundOffered: boolean;
  /** The codec of the sound that is taken; null where none may be, or none is offered. */
  readonly soundTaken: AudioCodec | null;
  /** What its pictures carry beside themselves, signed video among it (SEI). Left as it is, and kept. */
  readonly sei: readonly string[];
}

const TRIAL_MS = 10 * SECOND_MS;
/** Some cameras begin with a picture only after seconds. */
const PATIENCE_MS = 30 * SECOND_MS;
/** ffmpeg may end before the gate has said why. */
const WHY_MS = 2 * SECOND_MS;

/**
 * Takes ten seconds of a camera's stream, by the way that it is recorded, and looks at them.
 * @throws BewaardError as `openGate`; CAMERA_STALLED when it all takes longer than half a minute.
 */
export async function tryStream(
  clock: Clock,
  camera: CameraAddress,
  signal: AbortSignal,
  patienceMs = PATIENCE_MS,
): Promise<Trial> {
  const patience = deadline(patienceMs, signal);
  try {
    return await tryUntil(clock, camera, patience);
  } catch (error) {
    signal.throwIfAborted();
    if (!patience.aborted) throw error;
    const message = `no ten seconds of picture came in ${patienceMs / SECOND_MS} s`;
    throw new BewaardError("CAMERA_STALLED", message, { transient: true, cause: error });
  }
}

async function tryUntil(clock: Clock, camera: CameraAddress, ending: AbortSignal): Promise<Trial> {
  await using gate = await openGate(clock, camera, ending);
  await using remux = await openRemux(gate.url, gate.offer);
  gate.admit(remux.reader, () => undefined);
  const stop = (): void => void remux[Symbol.asyncDispose]();
  ending.addEventListener("abort", stop, { once: true });
  // One that has aborted says so to nobody any more.
  if (ending.aborted) stop();
  try {
    const trial = await look(clock, gate, remux.read(openFragments()));
    if (trial !== undefined) return trial;
    throw new BewaardError("CAMERA_STREAM", "it ended within ten seconds", { transient: true });
  } catch (error) {
    ending.throwIfAborted();
    if (!(error instanceof BewaardError)) throw error;
    throw (await lost(clock, gate, ending)) ?? error;
  } finally {
    ending.removeEventListener("abort", stop);
  }
}

/** Undefined when the stream ends before its ten seconds are over. */
async function look(
  clock: Clock,
  { offer, reported }: Gate,
  pieces: AsyncIterable<Init | Fragment>,
): Promise<Trial | undefined> {
  const stream = openStreamClock(clock, reported);
  const fragments: Pick<Fragment, "mediaMs" | "keyframe">[] = [];
  let init: Init | undefined;
  const sei = new Set<string>();
  let size = 0;
  for await (const piece of pieces) {
    if (piece.kind === "init") {
      init = piece;
      continue;
    }
    stream.hear(piece);
    if (init !== undefined) for (const name of seiNames(init, piece)) sei.add(name);
    fragments.push({ mediaMs: piece.mediaMs, keyframe: piece.keyframe });
    size += piece.bytes.reduce((sum, part) => sum + part.length, 0);
    const tookMs = piece.mediaMs + piece.durationMs - (fragments[0]?.mediaMs ?? 0);
    if (tookMs < TRIAL_MS || init === undefined) continue;
    return {
      video: offer.video,
      codec: init.video.codecText,
      width: init.video.width,
      height: init.video.height,
      gopMs: longestGop(fragments),
      bitsPerSecond: Math.round((size * 8 * SECOND_MS) / tookMs),
      clock: { ...stream.camera },
      soundOffered: offer.soundOffered,
      soundTaken: offer.audio ?? null,
      sei: [...sei].toSorted(),
    };
  }
  return undefined;
}

function longestGop(fragments: readonly Pick<Fragment, "mediaMs" | "keyframe">[]): number | null {
  const keyframes = fragments.filter(({ keyframe }) => keyframe).map(({ mediaMs }) => mediaMs);
  const gops = keyframes.slice(1).map((at, index) => at - (keyframes[index] ?? at));
  return gops.length === 0 ? null : Math.round(Math.max(...gops));
}

/** Why the camera's side ended, where it did. */
async function lost(
  clock: Clock,
  gate: Gate,
  signal: AbortSignal,
): Promise<BewaardError | undefined> {
  try {
    return await within(clock, WHY_MS, () => gate.lost, signal);
  } catch (error) {
    if (!isTimeout(error)) throw error;
    return undefined;
  }
}
