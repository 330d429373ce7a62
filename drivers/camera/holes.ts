/** A stretch of a stream that lacks packets, by the time of its pictures: ms since the first of them. */
export interface Hole {
  /** The last picture before, which may lack its end. */
  readonly fromMs: number;
  /** The first picture behind, which may lack its beginning. */
  readonly toMs: number;
  readonly packets: number;
}

/** Sees what a camera numbered and did not send, or its network lost. */
export interface Holes {
  /** The video comes on `channel`, from now on. */
  readonly watch: (channel: number) => void;
  /** Takes whole interleaved frames, in order. */
  readonly look: (frames: Buffer) => void;
  /** All that was missing since this was asked last, as one. */
  readonly take: () => Hole | undefined;
}

interface Seen {
  readonly sequence: number;
  readonly timestamp: number;
  /** 90 kHz since the first packet, without the turns of 32 bits. */
  readonly ticks: number;
}

const RTP_HEAD_BYTES = 12;
const TICKS_A_MS = 90;
/** Of RFC 3550 A.1: beyond it packets are not lost, but numbered anew. */
const MOST_LOST = 3000;
const MOST_LATE = 100;

export function openHoles(): Holes {
  let video: number | undefined;
  let last: Seen | undefined;
  let found: Hole | undefined;

  function see(sequence: number, timestamp: number): void {
    const packets = last === undefined ? 0 : missingBetween(last.sequence, sequence);
    if (packets === undefined) return;
    const elapsed = last === undefined ? 0 : (timestamp - last.timestamp) | 0;
    const ticks = (last?.ticks ?? 0) + elapsed;
    if (last !== undefined && packets > 0) {
      const [from, to] = elapsed < 0 ? [ticks, last.ticks] : [last.ticks, ticks];
      const hole = { fromMs: from / TICKS_A_MS, toMs: to / TICKS_A_MS, packets };
      found = found === undefined ? hole : joined(found, hole);
    }
    last = { sequence, timestamp, ticks };
  }

  return {
    watch(channel) {
      video = channel;
    },
    look(frames) {
      for (let at = 0; at + 4 <= frames.length; at += 4 + frames.readUInt16BE(at + 2)) {
        const whole = frames.readUInt16BE(at + 2) >= RTP_HEAD_BYTES;
        if (whole && frames[at + 1] === video)
          see(frames.readUInt16BE(at + 6), frames.readUInt32BE(at + 8));
      }
    },
    take() {
      const taken = found;
      found = undefined;
      return taken;
    },
  };
}

/** How many packets are missing between two; one where they are numbered anew. Undefined for one that is late. */
function missingBetween(before: number, sequence: number): number | undefined {
  const ahead = (sequence - before - 1) & 0xffff;
  if (ahead >= 0x10000 - MOST_LATE - 1) return undefined;
  return ahead > MOST_LOST ? 1 : ahead;
}

function joined(one: Hole, two: Hole): Hole {
  return {
    fromMs: Math.min(one.fromMs, two.fromMs),
    toMs: Math.max(one.toMs, two.toMs),
    packets: one.packets + two.packets,
  };
}
