import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { Clock, Instant } from "#base/time";
import type { Medium, Unit } from "./simulated-medium.ts";

/** Between two sender reports. */
const REPORT_MS = 2000;
/** Where a camera has no memory left for who reads too slowly. */
const FULL_BYTES = 4 * 1024 * 1024;
/** Seconds from 1900, where NTP counts from, to 1970. */
const NTP_1970_S = 2_208_988_800;

/** How a camera streams. May change at any moment, as cameras do. */
export interface Conduct {
  /** What it films. What replaces it begins with its own first picture. */
  video: Medium;
  /** `reports`: RTCP alone, as a camera whose encoder hangs. `nothing`: as behind a pulled cable. */
  sends: "everything" | "reports" | "nothing";
  /** How far its clock is ahead, in milliseconds. */
  skewMs: number;
  /** RTP time of the first picture of streams to come; undefined: anything, as RFC 3550 asks. */
  firstTimestamp: number | undefined;
  /** Whether the n-th packet of a stream is lost on its way. */
  loses: (packet: number) => boolean;
  /** What stands between frames and should not. */
  garbage: Uint8Array | undefined;
}

/** One medium on its way to one client. */
interface Track {
  readonly channel: number;
  readonly ssrc: number;
  readonly firstTimestamp: number;
  medium: Medium;
  /** Units since PLAY, and where among them the medium began with its first one. */
  next: number;
  from: number;
  sequence: number;
  packets: number;
  octets: number;
}

/** What a client has set up, on its way from PLAY on. */
export interface Stream {
  add(medium: Medium, channel: number): void;
  /** Where each medium begins, as PLAY answers it in RTP-Info. */
  starts(): readonly { readonly sequence: number; readonly timestamp: number }[];
  play(): void;
  /** Sends what is due. */
  tick(): void;
}

export function openStream(socket: Socket, clock: Clock, conduct: Conduct): Stream {
  const tracks: Track[] = [];
  let playedAt: { readonly uptimeMs: number; readonly wallMs: Instant } | undefined;
  let reportAtMs = 0;

  function report(track: Track, sinceMs: number, wallMs: number): void {
    socket.write(senderReport(track, sinceMs, wallMs + conduct.skewMs));
  }

  function sendDue(track: Track, sinceMs: number): void {
    const { clockHz, ticks } = track.medium;
    const due = Math.floor((sinceMs * clockHz) / 1000 / ticks) + 1;
    const fallsSilent = conduct.sends !== "everything" || socket.writableLength > FULL_BYTES;
    const other = track.medium.kind === "video" && track.medium !== conduct.video;
    if (fallsSilent) track.next = due;
    if (other) track.medium = conduct.video;
    // Nobody can decode what comes after a hole: the camera's encoder makes a keyframe.
    if (fallsSilent || other) track.from = track.next;
    for (; track.next < due; track.next += 1) {
      const unit = track.medium.units[(track.next - track.from) % track.medium.units.length];
      if (unit !== undefined) socket.write(packetsOf(track, unit, conduct.loses));
      if (conduct.garbage) socket.write(conduct.garbage);
    }
  }

  return {
    add(medium, channel) {
      const firstTimestamp = conduct.firstTimestamp ?? randomBytes(4).readUInt32BE();
      const ssrc = randomBytes(4).readUInt32BE();
      const sequence = randomBytes(2).readUInt16BE();
      const counts = { next: 0, from: 0, packets: 0, octets: 0 };
      tracks.push({ medium, channel, ssrc, firstTimestamp, sequence, ...counts });
    },
    starts: () =>
      tracks.map(({ sequence, firstTimestamp }) => ({ sequence, timestamp: firstTimestamp })),
    play() {
      playedAt ??= { uptimeMs: performance.now(), wallMs: clock.now() };
    },
    tick() {
      if (playedAt === undefined) return;
      const sinceMs = performance.now() - playedAt.uptimeMs;
      // The first report comes before the first picture: its time is known at once.
      const reports = sinceMs >= reportAtMs && conduct.sends !== "nothing";
      if (sinceMs >= reportAtMs) reportAtMs += REPORT_MS;
      socket.cork();
      for (const track of tracks) {
        if (reports) report(track, sinceMs, playedAt.wallMs + sinceMs);
        sendDue(track, sinceMs);
      }
      socket.uncork();
    },
  };
}

/** The RTP packets of one unit, each in its interleaved frame, in one piece. */
function packetsOf(track: Track, { packets }: Unit, loses: Conduct["loses"]): Uint8Array {
  const timestamp = (track.firstTimestamp + track.next * track.medium.ticks) % 2 ** 32;
  const bytes = Buffer.allocUnsafe(packets.reduce((sum, payload) => sum + 16 + payload.length, 0));
  let at = 0;
  for (const [index, payload] of packets.entries()) {
    const sequence = track.sequence;
    track.sequence = (sequence + 1) % 2 ** 16;
    track.packets += 1;
    track.octets += payload.length;
    if (loses(track.packets - 1)) continue;
    const marker = index === packets.length - 1 ? 0x80 : 0;
    bytes.writeUInt16BE(0x2400 | track.channel, at);
    bytes.writeUInt16BE(12 + payload.length, at + 2);
    bytes.writeUInt16BE(0x8000 | marker | track.medium.payloadType, at + 4);
    bytes.writeUInt16BE(sequence, at + 6);
    bytes.writeUInt32BE(timestamp, at + 8);
    bytes.writeUInt32BE(track.ssrc, at + 12);
    bytes.set(payload, at + 16);
    at += 16 + payload.length;
  }
  return bytes.subarray(0, at);
}

/** A sender report and the name that must go with it (RFC 3550 §6), in its interleaved frame. */
function senderReport(track: Track, sinceMs: number, wallMs: number): Uint8Array {
  const ticks = Math.round((sinceMs * track.medium.clockHz) / 1000);
  const bytes = Buffer.alloc(4 + 28 + 16);
  bytes.writeUInt16BE(0x2400 | (track.channel + 1), 0);
  bytes.writeUInt16BE(44, 2);
  bytes.writeUInt32BE(0x80c8_0006, 4);
  bytes.writeUInt32BE(track.ssrc, 8);
  bytes.writeUInt32BE(Math.floor(wallMs / 1000) + NTP_1970_S, 12);
  bytes.writeUInt32BE(Math.floor(((wallMs % 1000) / 1000) * 2 ** 32), 16);
  bytes.writeUInt32BE((track.firstTimestamp + ticks) % 2 ** 32, 20);
  bytes.writeUInt32BE(track.packets, 24);
  bytes.writeUInt32BE(track.octets % 2 ** 32, 28);
  bytes.writeUInt32BE(0x81ca_0003, 32);
  bytes.writeUInt32BE(track.ssrc, 36);
  bytes.writeUInt16BE(0x0106, 40);
  bytes.write("camera", 42);
  return bytes;
}
