import { boxesIn, boxIn, u32, untakeable } from "./boxes.ts";
import { type ParameterSets, setsOfConfiguration, textOf } from "./parameter-sets.ts";

/** One track of the stream: its clock, and what its samples are where a fragment does not say. */
export interface Track {
  readonly id: number;
  readonly kind: "video" | "audio" | "other";
  /** Ticks a second. */
  readonly timescale: number;
  /** What its samples are: avc1, hvc1, mp4a, alaw, ulaw. */
  readonly entry: string;
  readonly defaults: {
    readonly durationTicks: number;
    readonly sizeBytes: number;
    readonly flags: number;
  };
}

/** The picture, as the stream's head says. */
export interface Picture {
  readonly trackId: number;
  readonly codec: "h264" | "h265";
  /** As RFC 6381 writes it: avc1.64001f. */
  readonly codecText: string;
  readonly width: number;
  readonly height: number;
  /** How many bytes the length before each NAL unit takes. */
  readonly lengthBytes: number;
  readonly sets: ParameterSets;
}

/** The head of a stream: what a player needs before the first fragment. */
export interface Init {
  readonly kind: "init";
  readonly bytes: Buffer;
  readonly tracks: readonly Track[];
  readonly video: Picture;
  /** VPS, SPS and PPS; other text is other parameters. */
  readonly parameters: string;
  /** Whether it says of a stream that goes on what came in band: its time and tracks are those from before. */
  readonly goesOn: boolean;
}

/** Of a sample entry: the fixed part of a picture's. */
export const PICTURE_BYTES = 78;
export const STSD_HEAD_BYTES = 8;
const NO_DEFAULTS = { durationTicks: 0, sizeBytes: 0, flags: 0 };

/**
 * Reads the head of a stream: `ftyp` and the body of `moov`, both within `bytes`.
 * @throws BewaardError CAMERA_STREAM when there is not exactly one picture in it, H.264 or H.265.
 */
export function readInit(bytes: Buffer, moov: Buffer, goesOn = false): Init {
  const defaults = defaultsOf(moov);
  const entries = [...boxesIn(moov)].flatMap((box) => (box.type === "trak" ? [box.body] : []));
  const tracks = entries.map((trak) => trackOf(trak, defaults));
  const pictures = entries.flatMap((trak, index) =>
    tracks[index]?.kind === "video" ? [pictureOf(trak, tracks[index].id)] : [],
  );
  const [video] = pictures;
  if (!video || pictures.length > 1) throw untakeable("not exactly one picture");
  if (new Set(tracks.map((track) => track.id)).size < tracks.length)
    throw untakeable("one track twice");
  return { kind: "init", bytes, tracks, video, parameters: textOf(video.sets), goesOn };
}

function defaultsOf(moov: Buffer): ReadonlyMap<number, Track["defaults"]> {
  const found = new Map<number, Track["defaults"]>();
  for (const box of boxesIn(boxIn(moov, "mvex"))) {
    if (box.type !== "trex") continue;
    const [durationTicks, sizeBytes, flags] = [12, 16, 20].map((at) => u32(box.body, at));
    found.set(u32(box.body, 4), {
      durationTicks: durationTicks ?? 0,
      sizeBytes: sizeBytes ?? 0,
      flags: flags ?? 0,
    });
  }
  return found;
}

function trackOf(trak: Buffer, defaults: ReadonlyMap<number, Track["defaults"]>): Track {
  const tkhd = boxIn(trak, "tkhd");
  const mdia = boxIn(trak, "mdia");
  const mdhd = boxIn(mdia, "mdhd");
  const id = u32(tkhd, tkhd[0] === 1 ? 20 : 12);
  const timescale = u32(mdhd, mdhd[0] === 1 ? 20 : 12);
  if (timescale === 0) throw untakeable("a track without a clock");
  return {
    id,
    kind: kindOf(boxIn(mdia, "hdlr").toString("latin1", 8, 12)),
    timescale,
    entry: entryOf(mdia).type,
    defaults: defaults.get(id) ?? NO_DEFAULTS,
  };
}

function kindOf(handler: string): Track["kind"] {
  if (handler === "vide") return "video";
  return handler === "soun" ? "audio" : "other";
}

function entryOf(mdia: Buffer): { readonly type: string; readonly body: Buffer } {
  const stsd = boxIn(boxIn(boxIn(mdia, "minf"), "stbl"), "stsd");
  const [entry] = boxesIn(stsd.subarray(STSD_HEAD_BYTES));
  if (!entry) throw untakeable("a track of nothing");
  return entry;
}

function pictureOf(trak: Buffer, trackId: number): Picture {
  const entry = entryOf(boxIn(trak, "mdia"));
  const size = u32(entry.body, 24);
  const within = entry.body.subarray(PICTURE_BYTES);
  const codec = CODECS.get(entry.type);
  if (!codec) throw untakeable("a picture that is neither H.264 nor H.265");
  const configuration = boxIn(within, codec === "h264" ? "avcC" : "hvcC");
  return {
    trackId,
    codec,
    width: size >>> 16,
    height: size & 0xffff,
    ...setsOfConfiguration(codec, entry.type, configuration),
  };
}

const CODECS: ReadonlyMap<string, Picture["codec"]> = new Map([
  ["avc1", "h264"],
  ["avc3", "h264"],
  ["hvc1", "h265"],
  ["hev1", "h265"],
]);
