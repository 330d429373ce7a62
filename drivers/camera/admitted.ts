import { BewaardError } from "#base/errors";
import type { AudioCodec, VideoCodec } from "./address.ts";
import { SPS } from "./configuration.ts";
import { AUDIO, type Known, VIDEO } from "./known-codecs.ts";
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

/** Characters of one medium's parameters: the sets of parameters are some hundred. */
const PARAMETERS = 16 * 1024;

/**
 * Decides what is taken of a camera's offer: its one picture, and where `sound` allows it the first sound
 * that is AAC or G.711 (AR-14). Everything else is left out, whatever it is called.
 * @throws BewaardError CAMERA_STREAM (transient) without exactly one picture in H.264 or H.265.
 */
export function admit({ media }: Description, sound: boolean): Admitted {
  const videos = media.filter(({ kind }) => kind === "video");
  const [video, ...more] = videos.flatMap((medium) => trackOf("video", medium, VIDEO));
  if (video === undefined) {
    const said = videos.length === 0 ? "no picture at all" : videos.map(mediumSaid).join(", ");
    throw strange(`it sends ${said}: what is taken is H.264 or H.265 by RTP/AVP`);
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
  if (!isPlainRtp(medium.protocol)) return [];
  const encoding = medium.encodings.get(payload) ?? "";
  const found = known.find((one) => one.encoding.test(encoding));
  if (found === undefined) return [];
  const said = parametersOf(medium.parameters.get(payload) ?? "");
  if (said === undefined) return [];
  const parameters = new Map<string, string>();
  for (const [key, value] of said) {
    if (!Object.hasOwn(found.parameters, key)) continue;
    if (found.parameters[key]?.test(value) === true) parameters.set(key, value);
    else if (found.strict?.includes(key) === true) return [];
  }
  if (found.wanted?.some((name) => !parameters.has(name)) === true) return [];
  const { codec, name = encoding } = found;
  return [{ kind, codec, payload, encoding: name, parameters, control: medium.control }];
}

/** By name in lower case, whatever they are; undefined when they are too long to be any. */
function parametersOf(text: string): ReadonlyMap<string, string> | undefined {
  if (text.length > PARAMETERS) return undefined;
  const found = new Map<string, string>();
  for (const field of text.split(";")) {
    const at = field.indexOf("=");
    if (at < 0) continue;
    const [value = ""] = field
      .slice(at + 1)
      .trim()
      .split(/\s/, 1);
    found.set(field.slice(0, at).trim().toLowerCase(), value);
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

/** What a medium is, for a message, as far as its words look like some. */
function mediumSaid({ payloads, encodings, parameters, protocol }: Medium): string {
  const [payload = -1, ...others] = payloads;
  if (others.length > 0) return "several codecs in one";
  const [name = ""] = (encodings.get(payload) ?? "").split("/");
  const codec = /^[A-Za-z0-9.+-]{1,32}$/.test(name) ? name : "an unknown codec";
  const profile = /^[A-Z0-9/]{1,32}$/.test(protocol) ? protocol : "an unknown protocol";
  if (!isPlainRtp(protocol)) return `${codec} by ${profile}`;
  const said = parametersOf(parameters.get(payload) ?? "");
  if (said === undefined) return `${codec} with more than ${PARAMETERS} characters of parameters`;
  const mode = said.get("packetization-mode");
  return mode === undefined || /^[01]$/.test(mode)
    ? codec
    : `${codec} in a strange packetization mode`;
}

function isPlainRtp(protocol: string): boolean {
  return protocol === "RTP/AVP" || protocol === "RTP/AVP/TCP";
}

function strange(what: string): BewaardError {
  return new BewaardError("CAMERA_STREAM", what, { transient: true });
}
