import { BewaardError } from "#base/errors";
import type { Clock, Instant } from "#base/time";
import { openWindow, type PlaintextWindow } from "../../storage/seal/range.ts";
import { type Container, cutClip } from "./ffmpeg.ts";
import type { LedgerSegment } from "./node-ledger.ts";
import { prepareOpening, recordOpening } from "./open.ts";
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
  const opening = await prepareOpening(station, segment, purpose, officerKeyPath, signal);
  const { known, versionId, decrypter } = opening;
  const { fromMs, toMs } = placeIn(known, from, to);
  await recordOpening(clock, station, segment, purpose, signal);
  const source = provenSource(station.vault, known, versionId, signal);
  const window = await openWindow(source, known.truncated, decrypter);
  yield* clipOf(window, fromMs, toMs, signal);
}

/**
 * Where the window lies in a recording, in ms after its start; from the later start where two are
 * possible and only that one has it.
 * @throws BewaardError DESK_INPUT when it has none of it: the nearest picture is not what was asked for.
 */
export function placeIn(
  known: Pick<LedgerSegment, "startedAt" | "alternativeStartedAt" | "endedAt">,
  from: Instant,
  to: Instant,
): { readonly fromMs: number; readonly toMs: number } {
  if (to <= from) {
    throw new BewaardError("DESK_INPUT", "--to komt niet na --from / does not come after it");
  }
  const { startedAt, alternativeStartedAt, endedAt } = known;
  const lengthMs = endedAt === undefined ? Number.POSITIVE_INFINITY : endedAt - startedAt;
  for (const start of [startedAt, alternativeStartedAt]) {
    if (start === undefined || to <= start || from >= start + lengthMs) continue;
    return { fromMs: Math.max(0, from - start), toMs: to - start };
  }
  const message =
    "in dat tijdvak is dit niet opgenomen, voor zover bekend / not recorded in that window, as far as is known: open it whole";
  throw new BewaardError("DESK_INPUT", message);
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
