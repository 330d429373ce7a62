import { BewaardError } from "#base/errors";
import type { AudioCodec, VideoCodec } from "./address.ts";
import { SPS } from "./configuration.ts";
import { typeOf } from "./parameter-sets.ts";
import type { Description, Medium } from "./sdp.ts";
import { readSps } from "./sps.ts";

/** A medium that is taken, reduced to what was understood of it. */
export interface Track<Codec = VideoCodec | AudioCodec> {
  readonly kind: "video" | "audio";
  readonly codec: Codec;
  readonly payload: number;
  /** Such as `H264/90000`. */
  readonly encoding: string;
  /** Only names and values on the lists below. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Where the camera wants it set up, as it said. */
  readonly control: string | undefined;
}

/** What is taken of a camera's offer. */
export interface Admitted {
  readonly video: Track<VideoCodec>;
  readonly audio: Track<AudioCodec> | undefined;
  readonly soundOffered: boolean;
}

const SETS = /^[A-Za-z0-9+/=,]{1,16384}$/;
const HEX = /^[0-9A-Fa-f]{1,512}$/;
const NUMBER = /^\d{1,10}$/;

interface Known<Codec> {
  readonly encoding: RegExp;
  readonly codec: Codec;
  readonly parameters: Readonly<Record<string, RegExp>>;
  /** Those without which it cannot be taken. */
  readonly wanted?: readonly string[];
}

const VIDEO: readonly Known<VideoCodec>[] = [
  {
    encoding: /^H264\/90000$/i,
    codec: "h264",
    // Interleaved mode (2) is nothing that cameras send or ffmpeg reads.
    parameters: {
      "packetization-mode": /^[01]$/,
      "profile-level-id": /^[0-9A-Fa-f]{6}$/,
      "sprop-parameter-sets": SETS,
    },
  },
  {
    encoding: /^(?:H265|HEVC)\/90000$/i,
    codec: "h265",
    parameters: {
      "profile-id": NUMBER,
      "level-id": NUMBER,
      "sprop-vps": SETS,
      "sprop-sps": SETS,
      "sprop-pps": SETS,
      "sprop-max-don-diff": NUMBER,
    },
  },
];

const AUDIO: readonly Known<AudioCodec>[] = [
  {
    encoding: /^mpeg4-generic\/\d{4,6}(?:\/[1-8])?$/i,
    codec: "aac",
    parameters: {
      mode: /^AAC-[hl]br$/i,
      config: HEX,
      sizelength: NUMBER,
      indexlength: NUMBER,
      indexdeltalength: NUMBER,
      "profile-level-id": NUMBER,
      streamtype: NUMBER,
    },
    wanted: ["mode", "config", "sizelength", "indexlength", "indexdeltalength"],
  },
  { encoding: /^PCMA\/8000(?:\/1)?$/i, codec: "pcma", parameters: {} },
  { encoding: /^PCMU\/8000(?:\/1)?$/i, codec: "pcmu", parameters: {} },
];

/**
 * Decides what is taken of a camera's offer: its one picture, and where `sound` allows it the first sound
 * that is AAC or G.711 (AR-14). Everything else is left out, whatever it is called.
 * @throws BewaardError CAMERA_STREAM (transient) without exactly one picture in H.264 or H.265.
 */
export function admit({ media }: Description, sound: boolean): Admitted {
  const videos = media.filter(({ kind }) => kind === "video");
  const [video, ...more] = videos.flatMap((medium) => trackOf("video", medium, VIDEO));
  if (video === undefined) {
    const said = videos.length === 0 ? "no picture at all" : videos.map(codecSaid).join(", ");
    throw strange(`it sends ${said}, not H.264 or H.265`);
  }
  if (more.length > 0) throw strange("it offers more than one picture in one stream");
  const sounds = media.filter(({ kind }) => kind === "audio");
  const [audio] = sound ? sounds.flatMap((medium) => trackOf("audio", medium, AUDIO)) : [];
  return { video, audio, soundOffered: sounds.length > 0 };
}

function trackOf<Codec>(
  kind: Track["kind"],
  medium: Medium,
  known: readonly Known<Codec>[],
): Track<Codec>[] {
  // With more than one payload type the camera could change over to one that was not looked at.
  const [payload, ...others] = medium.payloads;
  if (payload === undefined || others.length > 0 || payload > 127) return [];
  if (medium.protocol !== "RTP/AVP" && medium.protocol !== "RTP/AVP/TCP") return [];
  const encoding = medium.encodings.get(payload) ?? "";
  const found = known.find((one) => one.encoding.test(encoding));
  if (found === undefined) return [];
  const parameters = parametersOf(medium.parameters.get(payload) ?? "", found.parameters);
  if (found.wanted?.some((name) => !parameters.has(name)) === true) return [];
  const { codec } = found;
  return [{ kind, codec, payload, encoding, parameters, control: medium.control }];
}

function parametersOf(
  text: string,
  known: Readonly<Record<string, RegExp>>,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [, name = "", value = ""] of text.matchAll(/([^\s;=]+)\s*=\s*([^\s;]*)/g)) {
    const key = name.toLowerCase();
    if (Object.hasOwn(known, key) && known[key]?.test(value) === true) found.set(key, value);
  }
  return found;
}

/** Whether a medium's description has an SPS that says how large its pictures are. */
export function isPictureKnown({ codec, parameters }: Track<VideoCodec>): boolean {
  const written = parameters.get(codec === "h264" ? "sprop-parameter-sets" : "sprop-sps") ?? "";
  const units = written.split(",").map((one) => Buffer.from(one, "base64"));
  const isSps = (unit: Buffer): boolean => typeOf(codec, unit[0] ?? 0) === SPS[codec];
  return units.some((unit) => isSps(unit) && readSps(codec, unit) !== undefined);
}

/** The codec's name for a message, if it looks like one. */
function codecSaid({ payloads, encodings }: Medium): string {
  if (payloads.length > 1) return "several codecs in one";
  const [name = ""] = (encodings.get(payloads[0] ?? -1) ?? "").split("/");
  return /^[A-Za-z0-9.+-]{1,32}$/.test(name) ? name : "an unknown codec";
}

function strange(what: string): BewaardError {
  return new BewaardError("CAMERA_STREAM", what, { transient: true });
}
