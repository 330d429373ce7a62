import { BewaardError } from "#base/errors";
import type { Clock, Instant } from "#base/time";
import { openWindow, type PlaintextWindow } from "../../storage/seal/range.ts";
import { type Container, cutClip } from "./ffmpeg.ts";
import { beginOpening } from "./open.ts";
import { provenSource } from "./proven-source.ts";
import { servePlaintext } from "./serve-plaintext.ts";
import type { Station } from "./station.ts";
import type { Target } from "./targets.ts";

/** Every packet of a transport stream, 188 bytes, begins with it. */
const TS_SYNC = 0x47;

/**
 * Opens what a segment recorded between `from` and `to`, and yields it as a recording that begins at
 * the keyframe before. Of the sealed file only the chunks are opened that this takes; its bytes are
 * compared with the ledger first. On a demo site only.
 * @throws BewaardError as `openFootage`; DESK_INPUT, CLIP_FAILED, TOOL_MISSING.
 */
export async function* openClip(
  clock: Clock,
  station: Station,
  segment: Target,
  from: Instant,
  to: Instant,
  purpose: string,
  officerKeyPath: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (to <= from) {
    throw new BewaardError("DESK_INPUT", "--to komt niet na --from / does not come after it");
  }
  const opening = await beginOpening(clock, station, segment, purpose, officerKeyPath, signal);
  const { known, versionId, decrypter } = opening;
  const toMs = to - known.startedAt;
  if (toMs <= 0) {
    const message = "het tijdvak ligt vóór deze opname / the window is before this recording";
    throw new BewaardError("DESK_INPUT", message);
  }
  const source = provenSource(station.vault, known, versionId, signal);
  const window = await openWindow(source, known.truncated, decrypter);
  yield* clipOf(window, Math.max(0, from - known.startedAt), toMs, signal);
}

async function containerOf(window: PlaintextWindow): Promise<Container> {
  const head = Buffer.concat(await Array.fromAsync(window.read(0, 189)));
  if (head[0] === TS_SYNC && head[188] === TS_SYNC) return "ts";
  return head.toString("latin1", 0, 4) === "RIFF" ? "avi" : "mp4";
}

/** What `window` recorded between two moments after its start. */
export async function* clipOf(
  window: PlaintextWindow,
  fromMs: number,
  toMs: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  await using served = await servePlaintext(window);
  try {
    yield* cutClip(served.url, await containerOf(window), fromMs, toMs, signal);
  } catch (error) {
    throw signal.aborted ? error : (served.failure() ?? error);
  }
  // ffmpeg takes an answer that broke off for the end of the recording.
  if (served.failure() !== undefined) throw served.failure();
}
