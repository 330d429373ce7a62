import { readFile } from "node:fs/promises";
import type { Medium, Unit } from "./simulated-medium.ts";

/** What fits in one packet beside the headers of RTP, UDP and IP, which cameras cut for. */
const PAYLOAD_BYTES = 1400;
const PAYLOAD_TYPE = 96;
const CLOCK_HZ = 90_000;

/** What differs between the two codecs, in the headers of their NAL units. */
interface Codec {
  readonly name: string;
  readonly headerBytes: number;
  type(nal: Buffer): number;
  isPicture(type: number): boolean;
  /** Whether a slice is the first of its picture. */
  isFirst(nal: Buffer): boolean;
  /** The header of one fragment (FU-A of RFC 6184, FU of RFC 7798). */
  fragment(nal: Buffer, flags: number): Buffer;
  parameters(of: (type: number) => Buffer): string;
}

const H264: Codec = {
  name: "H264",
  headerBytes: 1,
  type: (nal) => nal.readUInt8(0) & 0x1f,
  isPicture: (type) => type >= 1 && type <= 5,
  isFirst: (nal) => nal.readUInt8(1) >= 0x80,
  fragment: (nal, flags) =>
    Buffer.from([(nal.readUInt8(0) & 0xe0) | 28, flags | (nal.readUInt8(0) & 0x1f)]),
  parameters: (of) =>
    `packetization-mode=1; profile-level-id=${of(7).toString("hex", 1, 4)}; ` +
    `sprop-parameter-sets=${of(7).toString("base64")},${of(8).toString("base64")}`,
};

const H265: Codec = {
  name: "H265",
  headerBytes: 2,
  type: (nal) => (nal.readUInt8(0) >> 1) & 0x3f,
  isPicture: (type) => type < 32,
  isFirst: (nal) => nal.readUInt8(2) >= 0x80,
  fragment: (nal, flags) =>
    Buffer.from([
      (nal.readUInt8(0) & 0x81) | (49 << 1),
      nal.readUInt8(1),
      flags | ((nal.readUInt8(0) >> 1) & 0x3f),
    ]),
  parameters: (of) =>
    `sprop-vps=${of(32).toString("base64")}; sprop-sps=${of(33).toString("base64")}; ` +
    `sprop-pps=${of(34).toString("base64")}`,
};

/** Reads a clip without B-frames, in Annex B as `ffmpeg -f h264` and `-f hevc` write it. */
export async function videoOf(
  path: string,
  codec: "h264" | "h265",
  framesPerSecond: number,
): Promise<Medium> {
  const kind = codec === "h264" ? H264 : H265;
  const nals = nalsOf(await readFile(path));
  const parameters = kind.parameters((wanted) => {
    const nal = nals.find((one) => kind.type(one) === wanted);
    if (nal === undefined) throw new Error(`no parameter set of type ${wanted} in ${path}`);
    return nal;
  });
  return {
    kind: "video",
    payloadType: PAYLOAD_TYPE,
    clockHz: CLOCK_HZ,
    ticks: CLOCK_HZ / framesPerSecond,
    units: unitsOf(nals, kind),
    lines: [
      `a=rtpmap:${PAYLOAD_TYPE} ${kind.name}/${CLOCK_HZ}`,
      `a=fmtp:${PAYLOAD_TYPE} ${parameters}`,
    ],
  };
}

function nalsOf(bytes: Buffer): readonly Buffer[] {
  const mark = Buffer.from([0, 0, 1]);
  const nals: Buffer[] = [];
  let start = bytes.indexOf(mark) + mark.length;
  for (;;) {
    const next = bytes.indexOf(mark, start);
    if (next < 0) return [...nals, bytes.subarray(start)];
    nals.push(bytes.subarray(start, bytes[next - 1] === 0 ? next - 1 : next));
    start = next + mark.length;
  }
}

/** Whatever comes between two pictures belongs to the second. */
function unitsOf(nals: readonly Buffer[], codec: Codec): readonly Unit[] {
  const units: Unit[] = [];
  let packets: Uint8Array[] = [];
  let complete = false;
  for (const nal of nals) {
    const picture = codec.isPicture(codec.type(nal));
    if (complete && (!picture || codec.isFirst(nal))) {
      units.push({ packets });
      packets = [];
      complete = false;
    }
    packets.push(...payloadsOf(nal, codec));
    complete ||= picture;
  }
  return [...units, { packets }];
}

function payloadsOf(nal: Buffer, codec: Codec): readonly Uint8Array[] {
  if (nal.length <= PAYLOAD_BYTES) return [nal];
  const payloads: Buffer[] = [];
  for (let at = codec.headerBytes; at < nal.length; at += PAYLOAD_BYTES) {
    const first = at === codec.headerBytes ? 0x80 : 0;
    const last = at + PAYLOAD_BYTES >= nal.length ? 0x40 : 0;
    const part = nal.subarray(at, at + PAYLOAD_BYTES);
    payloads.push(Buffer.concat([codec.fragment(nal, first | last), part]));
  }
  return payloads;
}
