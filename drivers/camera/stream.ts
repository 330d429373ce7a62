/** What a wall camera may send as picture (docs/threat-model.md): nothing else is admitted. */
export type VideoCodec = "H264" | "H265";

/** What may be kept of a room on the sound list, unaltered (AR-14). */
export type SoundCodec = "AAC" | "PCMA" | "PCMU";

/** One track of a fragmented MP4, as its `moov` names it. */
export interface Track {
  readonly id: number;
  /** Ticks a second of this track's times. */
  readonly timescale: number;
}

/** How a stream begins: everything a player needs before its first fragment. */
export interface StreamStart {
  readonly kind: "start";
  /** `ftyp` and `moov`, as ffmpeg wrote them. */
  readonly init: Uint8Array;
  readonly video: Track & {
    readonly codec: VideoCodec;
    readonly width: number;
    readonly height: number;
  };
  readonly sound: Track | undefined;
}

/** One whole fragment: never handed on before its last byte has come. */
export interface Fragment {
  readonly kind: "fragment";
  /** As ffmpeg wrote it; not rebased. */
  readonly moof: Uint8Array;
  /** `mdat` with its header, in as many pieces as it came. */
  readonly mdat: readonly Uint8Array[];
  /** Its first picture can be shown without any before it. */
  readonly keyframe: boolean;
  /** Decode time of its first picture on the stream's own clock, from 0 at connection. */
  readonly startMs: number;
  readonly durationMs: number;
  /** What its `prft` says: the camera's clock at its first picture, unguarded; ms since 1970. */
  readonly prftMs: number | undefined;
}
