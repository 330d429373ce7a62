import { boxesIn, boxIn, u32, u64, untakeable } from "./boxes.ts";
import type { Track } from "./init.ts";

/** Where one picture or stretch of sound lies: bytes from the start of its moof. */
export interface Sample {
  readonly at: number;
  readonly size: number;
  /** By how much it is shown later than decoded, in the track's ticks, and where in the moof that stands. */
  readonly laterTicks: number;
  readonly laterAt: number | undefined;
}

/** What a fragment holds of one track. */
export interface Run {
  readonly track: Track;
  /** When its first sample is decoded, in the track's ticks. */
  readonly startTicks: number;
  readonly durationTicks: number;
  /** Whether its first sample can be decoded without those before it. */
  readonly keyframe: boolean;
  readonly samples: readonly Sample[];
  /** Where in the moof its start stands, and whether in 64 bits. */
  readonly startAt: number;
  readonly wide: boolean;
  /** Where in the moof its lists of samples stand: each starts with its version. */
  readonly listsAt: readonly number[];
}

interface Defaults {
  readonly track: Track;
  readonly durationTicks: number;
  readonly sizeBytes: number;
  readonly flags: number;
}

interface Gathered {
  durationTicks: number;
  flags: number | undefined;
  nextAt: number;
  /** How many samples it may have: what the tracks before it have left. */
  readonly most: number;
  readonly samples: Sample[];
}

/** In all tracks. Half a second holds some 60 pictures and 50 stretches of sound; nobody may keep us counting. */
const MOST_SAMPLES = 20_000;
const NOT_A_KEYFRAME = 0x10000;

/**
 * Reads which samples of which tracks a fragment holds. `moof` is the whole box.
 * @throws BewaardError CAMERA_STREAM when it contradicts itself or its head.
 */
export function readMoof(moof: Buffer, tracks: readonly Track[]): readonly Run[] {
  const runs: Run[] = [];
  let most = MOST_SAMPLES;
  for (const { type, body } of boxesIn(moof.subarray(8))) {
    if (type !== "traf") continue;
    const defaults = defaultsOf(boxIn(body, "tfhd"), tracks);
    if (runs.some((run) => run.track.id === defaults.track.id)) throw untakeable("one track twice");
    const run = runOf(moof, body, defaults, most);
    most -= run.samples.length;
    runs.push(run);
  }
  return runs.filter((run) => run.samples.length > 0);
}

function runOf(moof: Buffer, traf: Buffer, defaults: Defaults, most: number): Run {
  const tfdt = boxIn(traf, "tfdt");
  const wide = tfdt[0] === 1;
  const gathered: Gathered = {
    durationTicks: 0,
    flags: undefined,
    nextAt: moof.length + 8,
    most,
    samples: [],
  };
  const listsAt: number[] = [];
  for (const { type, body } of boxesIn(traf)) {
    if (type !== "trun") continue;
    listsAt.push(body.byteOffset - moof.byteOffset);
    gather(body, body.byteOffset - moof.byteOffset, defaults, gathered);
  }
  return {
    track: defaults.track,
    startTicks: wide ? u64(tfdt, 4) : u32(tfdt, 4),
    durationTicks: gathered.durationTicks,
    keyframe: ((gathered.flags ?? NOT_A_KEYFRAME) & NOT_A_KEYFRAME) === 0,
    samples: gathered.samples,
    startAt: tfdt.byteOffset - moof.byteOffset + 4,
    wide,
    listsAt,
  };
}

/** tfhd: what holds for the samples of this fragment, or else what the head of the stream says. */
function defaultsOf(tfhd: Buffer, tracks: readonly Track[]): Defaults {
  const flags = u32(tfhd, 0);
  const track = tracks.find((one) => one.id === u32(tfhd, 4));
  if (!track) throw untakeable("a fragment of no track");
  // With a base of its own its samples could lie anywhere.
  if ((flags & 0x1) !== 0) throw untakeable("a fragment that lies elsewhere");
  let at = (flags & 0x2) === 0 ? 8 : 12;
  const next = (flag: number, otherwise: number): number => {
    if ((flags & flag) === 0) return otherwise;
    at += 4;
    return u32(tfhd, at - 4);
  };
  return {
    track,
    durationTicks: next(0x8, track.defaults.durationTicks),
    sizeBytes: next(0x10, track.defaults.sizeBytes),
    flags: next(0x20, track.defaults.flags),
  };
}

function gather(trun: Buffer, trunAt: number, defaults: Defaults, into: Gathered): void {
  const flags = u32(trun, 0);
  const count = u32(trun, 4);
  if (into.samples.length + count > into.most) throw untakeable("a fragment of too many samples");
  let at = 8;
  const next = (flag: number, otherwise: number): number => {
    if ((flags & flag) === 0) return otherwise;
    at += 4;
    return u32(trun, at - 4);
  };
  into.nextAt = next(0x1, into.nextAt) | 0;
  const first = next(0x4, Number.NaN);
  for (let index = 0; index < count; index += 1) {
    into.durationTicks += next(0x100, defaults.durationTicks);
    const size = next(0x200, defaults.sizeBytes);
    const own = next(0x400, defaults.flags);
    const laterAt = (flags & 0x800) === 0 ? undefined : trunAt + at;
    const laterTicks = next(0x800, 0) | 0;
    if (into.samples.length === 0) into.flags = Number.isNaN(first) ? own : first;
    into.samples.push({ at: into.nextAt, size, laterTicks, laterAt });
    into.nextAt += size;
  }
}
