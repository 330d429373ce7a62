import { execFileSync } from "node:child_process";

/** A short clip as interleaved RTP. */
export interface RtpClip {
  /** The description's lines of its medium. */
  readonly medium: readonly string[];
  /** Frames of each picture in order, 25 a second, with time stamps that begin at 0. */
  readonly pictures: readonly Buffer[];
}

const PAYLOAD_BYTES = 1200;

/** Encodes `pictures` pictures of a test image, with a keyframe each second. */
export function rtpClip(pictures: number, size = "320x240", rate: readonly string[] = []): RtpClip {
  const source = `testsrc2=size=${size}:rate=25`;
  const encode = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "25"];
  const quiet = ["-nostdin", "-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i", source];
  const cut = [
    "-frames:v",
    String(pictures),
    ...encode,
    ...rate,
    "-x264-params",
    "sliced-threads=0",
  ];
  const args = [...quiet, ...cut, "-f", "h264", "pipe:1"];
  const stream = execFileSync("ffmpeg", args, { maxBuffer: 1 << 30 });
  const units = unitsOf(stream);
  const kind = (unit: Buffer): number => unit.readUInt8(0) & 31;
  const set = (type: number): string =>
    units.find((unit) => kind(unit) === type)?.toString("base64") ?? "";
  const frames: Buffer[] = [];
  let sequence = 0;
  let picture: Buffer[] = [];
  for (const unit of units) {
    const last = kind(unit) === 1 || kind(unit) === 5;
    const payloads = fragmentsOf(unit);
    for (const [index, payload] of payloads.entries()) {
      const marker = last && index === payloads.length - 1;
      picture.push(frame(0, rtp(96, marker, sequence++, frames.length * 3600, payload)));
    }
    if (last) {
      frames.push(Buffer.concat(picture));
      picture = [];
    }
  }
  const sets = `a=fmtp:96 packetization-mode=1; sprop-parameter-sets=${set(7)},${set(8)}`;
  const medium = ["m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", sets, "a=control:trackID=0"];
  return { medium, pictures: frames };
}

export function frame(channel: number, packet: Buffer): Buffer {
  const head = Buffer.from([0x24, channel, 0, 0]);
  head.writeUInt16BE(packet.length, 2);
  return Buffer.concat([head, packet]);
}

export function rtp(
  type: number,
  marker: boolean,
  sequence: number,
  timestamp: number,
  payload: Buffer,
): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt8(0x80, 0);
  head.writeUInt8(type | (marker ? 0x80 : 0), 1);
  head.writeUInt16BE(sequence & 0xffff, 2);
  head.writeUInt32BE(timestamp >>> 0, 4);
  head.writeUInt32BE(0x1234, 8);
  return Buffer.concat([head, payload]);
}

function unitsOf(stream: Buffer): Buffer[] {
  const starts: number[] = [];
  for (let at = stream.indexOf("\0\0\x01", 0, "latin1"); at >= 0; ) {
    starts.push(at + 3);
    at = stream.indexOf("\0\0\x01", at + 3, "latin1");
  }
  return starts.map((start, index) => {
    let end = (starts[index + 1] ?? stream.length + 3) - 3;
    while (stream[end - 1] === 0) end -= 1;
    return stream.subarray(start, end);
  });
}

/** RFC 6184 §5.8: FU-A. */
function fragmentsOf(unit: Buffer): Buffer[] {
  if (unit.length <= PAYLOAD_BYTES) return [unit];
  const first = unit.readUInt8(0);
  const fragments: Buffer[] = [];
  for (let at = 1; at < unit.length; at += PAYLOAD_BYTES) {
    const end = Math.min(at + PAYLOAD_BYTES, unit.length);
    const marks = (at === 1 ? 0x80 : 0) | (end === unit.length ? 0x40 : 0);
    const head = Buffer.from([(first & 0xe0) | 28, marks | (first & 31)]);
    fragments.push(Buffer.concat([head, unit.subarray(at, end)]));
  }
  return fragments;
}
