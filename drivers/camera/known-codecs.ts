import type { AudioCodec, VideoCodec } from "./address.ts";

const SETS = /^[A-Za-z0-9+/=,]{1,16384}$/;
const HEX = /^[0-9A-Fa-f]{1,512}$/;
const NUMBER = /^\d{1,10}$/;

/** A codec that is taken, and what of its description is. */
export interface Known<Codec> {
  readonly encoding: RegExp;
  /** How ffmpeg knows it, where cameras also call it otherwise. */
  readonly name?: string;
  readonly codec: Codec;
  readonly parameters: Readonly<Record<string, RegExp>>;
  /** Those without which it cannot be taken. */
  readonly wanted?: readonly string[];
  /** Those with which it cannot be taken when they have another value than is listed. */
  readonly strict?: readonly string[];
}

export const VIDEO: readonly Known<VideoCodec>[] = [
  {
    encoding: /^H264\/90000$/i,
    codec: "h264",
    parameters: {
      "packetization-mode": /^[01]$/,
      "profile-level-id": /^[0-9A-Fa-f]{6}$/,
      "sprop-parameter-sets": SETS,
    },
    // Interleaved mode (2) is nothing that cameras send or ffmpeg reads.
    strict: ["packetization-mode"],
  },
  {
    encoding: /^(?:H265|HEVC)\/90000$/i,
    name: "H265/90000",
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

export const AUDIO: readonly Known<AudioCodec>[] = [
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
