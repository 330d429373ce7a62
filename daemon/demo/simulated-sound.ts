import { readFile } from "node:fs/promises";
import type { Medium, Unit } from "./simulated-medium.ts";

const SAMPLE_RATES = [96, 88.2, 64, 48, 44.1, 32, 24, 22.05, 16, 12, 11.025, 8];
/** 20 ms of G.711. */
const G711_BYTES = 160;

/** Reads AAC as `ffmpeg -f adts` writes it; sent as RFC 3640 says, one frame in a packet. */
export async function aacOf(path: string): Promise<Medium> {
  const bytes = await readFile(path);
  const units: Unit[] = [];
  for (let at = 0; at + 7 <= bytes.length; ) {
    // ADTS: 13 bits of length from bit 30, header included; it has 9 bytes where there is a checksum.
    const length = (bytes.readUInt32BE(at + 2) >> 5) & 0x1fff;
    const header = (bytes.readUInt8(at + 1) & 1) === 1 ? 7 : 9;
    const frame = bytes.subarray(at + header, at + length);
    const sizes = Buffer.alloc(4);
    sizes.writeUInt16BE(16, 0);
    sizes.writeUInt16BE(frame.length << 3, 2);
    units.push({ packets: [Buffer.concat([sizes, frame])] });
    at += length;
  }
  const type = (bytes.readUInt8(2) >> 6) + 1;
  const rate = (bytes.readUInt8(2) >> 2) & 0xf;
  const channels = (bytes.readUInt16BE(2) >> 6) & 7;
  const config = ((type << 11) | (rate << 7) | (channels << 3)).toString(16).padStart(4, "0");
  const clockHz = (SAMPLE_RATES[rate] ?? 0) * 1000;
  return {
    kind: "audio",
    payloadType: 97,
    clockHz,
    ticks: 1024,
    units,
    lines: [
      `a=rtpmap:97 mpeg4-generic/${clockHz}/${channels}`,
      `a=fmtp:97 streamtype=5; profile-level-id=15; mode=AAC-hbr; sizelength=13; indexlength=3; indexdeltalength=3; config=${config}`,
    ],
  };
}

/** Reads G.711 at 8 kHz as `ffmpeg -f alaw` and `-f mulaw` write it. */
export async function g711Of(path: string, law: "pcma" | "pcmu"): Promise<Medium> {
  const bytes = await readFile(path);
  const starts = Array.from(
    { length: Math.floor(bytes.length / G711_BYTES) },
    (_, n) => n * G711_BYTES,
  );
  const payloadType = law === "pcma" ? 8 : 0;
  return {
    kind: "audio",
    payloadType,
    clockHz: 8000,
    ticks: G711_BYTES,
    units: starts.map((at) => ({ packets: [bytes.subarray(at, at + G711_BYTES)] })),
    lines: [`a=rtpmap:${payloadType} ${law.toUpperCase()}/8000`],
  };
}
