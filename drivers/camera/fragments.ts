import { DAY_MS } from "#base/time";
import { openBoxes, type Take, type TopBox, u32, untakeable } from "./boxes.ts";
import { initWith } from "./head.ts";
import { type Init, readInit } from "./init.ts";
import { type Run, readMoof } from "./moof.ts";
import { bytesAt, nalUnitsOf } from "./nal-units.ts";
import { isParameterSet, isPicture, textOf, typeOf, withSets } from "./parameter-sets.ts";

/** A stretch of stream, some half a second, that is of use only behind its head and those before it. */
export interface Fragment {
  readonly kind: "fragment";
  /** The moof, then the mdat: each whole, in memory of its own. */
  readonly bytes: readonly Buffer[];
  readonly runs: readonly Run[];
  /** Whether it starts with a picture that needs none before it. */
  readonly keyframe: boolean;
  /** When its first picture is decoded, in ms since ffmpeg began; of sound alone, when that starts. */
  readonly mediaMs: number;
  readonly durationMs: number;
  /** A camera's wall time, as ffmpeg reckons it, in ms since 1970; what it is worth: `camera-time.ts`. */
  readonly prftMs: number | undefined;
  /** VPS, SPS and PPS in force from its first picture on; other text is other parameters. */
  readonly parameters: string;
}

interface Prft {
  readonly trackId: number;
  readonly unixMs: number;
}

/** What has come of a stream so far. */
interface Reading {
  ftyp: Buffer;
  init: Init | undefined;
  prft: Prft | undefined;
  moof: Buffer | undefined;
}

const UNIX_SECONDS_IN_NTP = 2_208_988_800;
const NTP_FRACTIONS_A_MS = 2 ** 32 / 1000;
const NTP_ERA_SECONDS = 2 ** 32;

/**
 * Takes a fragmented MP4 apart as it arrives: its head, then each fragment as soon as its last byte is in.
 * Where other parameter sets come in band, a head with those comes before the fragment that starts with them.
 * Bounded whatever comes; what is not whole when the stream ends is not given.
 * @throws BewaardError CAMERA_STREAM for what is no such stream.
 */
export function openFragments(): Take<Init | Fragment> {
  const reading: Reading = {
    ftyp: Buffer.alloc(0),
    init: undefined,
    prft: undefined,
    moof: undefined,
  };
  const boxes = openBoxes();
  return (bytes, give) => {
    boxes(bytes, (box) => {
      for (const piece of take(reading, box)) give(piece);
    });
  };
}

function take(reading: Reading, box: TopBox): readonly (Init | Fragment)[] {
  if (box.type === "mdat") {
    const { init } = reading;
    const fragment = fragmentOf(reading, box.bytes);
    return reading.init && reading.init !== init ? [reading.init, fragment] : [fragment];
  }
  if (reading.moof) throw untakeable("a fragment without its pictures");
  if (box.type === "ftyp") reading.ftyp = box.bytes;
  if (box.type === "moov") return [initOf(reading, box.bytes)];
  if (box.type === "prft") reading.prft = prftOf(box.bytes.subarray(8));
  if (box.type === "moof") reading.moof = box.bytes;
  return [];
}

function initOf(reading: Reading, moov: Buffer): Init {
  const init = readInit(Buffer.concat([reading.ftyp, moov]), moov.subarray(8));
  reading.init = init;
  return init;
}

/** prft (ISO 14496-12 §8.16.5): the producer's NTP time of a track's first sample. */
function prftOf(body: Buffer): Prft {
  const seconds = u32(body, 8);
  // Of the next era, which starts in 2036: nothing was recorded before 1970.
  const era = seconds < UNIX_SECONDS_IN_NTP ? NTP_ERA_SECONDS : 0;
  const unixMs = (seconds + era - UNIX_SECONDS_IN_NTP) * 1000 + u32(body, 12) / NTP_FRACTIONS_A_MS;
  return { trackId: u32(body, 4), unixMs };
}

function fragmentOf(reading: Reading, mdat: Buffer): Fragment {
  const { moof, init, prft } = reading;
  if (!init || !moof) throw untakeable("pictures without a head");
  reading.moof = undefined;
  reading.prft = undefined;
  const bytes = [moof, mdat];
  const runs = readMoof(moof, init.tracks);
  const [earliest] = runs.toSorted((one, other) => startMs(one) - startMs(other));
  const video = runs.find((run) => run.track.kind === "video");
  const run = video ?? earliest;
  if (!run) throw untakeable("a fragment of nothing");
  if (!isPlausible(run)) throw untakeable("a time beyond all times");
  const keyframe = video?.keyframe ?? false;
  if (video && keyframe) learn(reading, init, bytes, video);
  return {
    kind: "fragment",
    bytes,
    runs,
    keyframe,
    mediaMs: startMs(run),
    durationMs: (run.durationTicks / run.track.timescale) * 1000,
    prftMs: prft?.trackId === run.track.id ? prft.unixMs : undefined,
    parameters: (reading.init ?? init).parameters,
  };
}

/** Half a second is asked for; of a stream that stood still for a minute, nobody knows what it is now. */
const LONGEST_MS = 60_000;
const LATEST_MS = 10 * 365 * DAY_MS;

function isPlausible(run: Run): boolean {
  const lastsMs = (run.durationTicks / run.track.timescale) * 1000;
  const laterMs = shownMs(run) - startMs(run);
  return lastsMs <= LONGEST_MS && Math.abs(laterMs) <= LONGEST_MS && startMs(run) <= LATEST_MS;
}

/** When a track's part of a fragment starts, in ms since ffmpeg began. */
function startMs(run: Run): number {
  return (run.startTicks / run.track.timescale) * 1000;
}

/** When the first sample of it is shown or heard, in ms since ffmpeg began. */
export function shownMs(run: Run): number {
  const ticks = run.startTicks + (run.samples[0]?.laterTicks ?? 0);
  return (ticks / run.track.timescale) * 1000;
}

/** Takes over the parameter sets that stand before the picture of a keyframe, into a new head where they differ. */
function learn(reading: Reading, init: Init, bytes: readonly Buffer[], run: Run): void {
  const { codec, lengthBytes, sets } = init.video;
  const [sample] = run.samples;
  if (!sample) return;
  const found: Buffer[] = [];
  for (const unit of nalUnitsOf(bytes, sample, lengthBytes)) {
    const type = typeOf(codec, unit.first);
    if (isPicture(codec, type)) break;
    if (isParameterSet(codec, type)) found.push(bytesAt(bytes, unit.at, unit.size));
  }
  const changed = withSets(codec, sets, found);
  if (textOf(changed) !== init.parameters) reading.init = initWith(init, changed);
}
