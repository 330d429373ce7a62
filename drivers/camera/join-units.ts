import type { VideoCodec } from "./address.ts";

/**
 * Copies the video's frames one behind the other, and makes one frame of the fragments in which a camera sends
 * a NAL unit too large for its network (FU-A of RFC 6184 §5.8, FU of RFC 7798 §4.4.3): ffmpeg works by the
 * packet. No byte of a picture changes, and packets are numbered anew in their order.
 */
export interface Joiner {
  /** Copies `frame`, whole, into `room` from `at` on, where it must fit; returns where it ends. */
  add(frame: Buffer, room: Buffer, at: number): number;
  /** What was copied last is not added to any more; returns where it ends, given where it ended. */
  end(room: Buffer, at: number): number;
}

/** `$`, channel and length (RFC 2326 §10.12), and a head of RTP without options. */
const FRAME_HEAD_BYTES = 4;
const RTP_HEAD_BYTES = 12;
const HEAD_BYTES = FRAME_HEAD_BYTES + RTP_HEAD_BYTES;
const PLAIN_RTP = 0x80;
const MARKER = 0x80;
const START = 0x80;
const END = 0x40;
const ENDS = START | END;

/** How a codec marks the fragments of a unit: the bytes of a unit's head, and the type of a fragment. */
const KINDS = {
  h264: { unitHead: 1, fragment: 28, typeOf: (first: number) => first & 0x1f },
  h265: { unitHead: 2, fragment: 49, typeOf: (first: number) => (first >> 1) & 0x3f },
} as const;

export function openJoiner(codec: VideoCodec): Joiner {
  const { unitHead, fragment, typeOf } = KINDS[codec];
  /** Where the flags of a fragment stand, behind the head of its unit. */
  const flagsAt = HEAD_BYTES + unitHead;
  const isFragment = (frame: Buffer): boolean =>
    frame.length > flagsAt + 1 &&
    frame[FRAME_HEAD_BYTES] === PLAIN_RTP &&
    typeOf(frame.readUInt8(HEAD_BYTES)) === fragment;
  /** Where the joined frame begins that more may be added to, and the number of its last packet. */
  let open: { readonly from: number; sequence: number } | undefined;
  let next: number | undefined;

  function continues(frame: Buffer, room: Buffer): boolean {
    if (!open) return false;
    const { from, sequence } = open;
    const same = (at: number, bytes: number): boolean =>
      frame.compare(room, from + at, from + at + bytes, at, at + bytes) === 0;
    return (
      frame.readUInt16BE(6) === ((sequence + 1) & 0xffff) &&
      // The time, and who sends it; the head of the unit, and its type below the flags.
      same(8, HEAD_BYTES + unitHead - 8) &&
      (frame.readUInt8(flagsAt) & ~ENDS) === (room.readUInt8(from + flagsAt) & ~ENDS) &&
      (frame.readUInt8(flagsAt) & START) === 0 &&
      (room.readUInt8(from + flagsAt) & END) === 0
    );
  }

  function end(room: Buffer, at: number): number {
    if (!open) return at;
    const { from } = open;
    open = undefined;
    const flags = room.readUInt8(from + flagsAt);
    const whole = (flags & ENDS) === ENDS;
    // A unit that is whole is no fragment: its own head, with the type that its flags' byte carries.
    if (whole) {
      const first = room.readUInt8(from + HEAD_BYTES);
      const type = flags & ~ENDS;
      const head = codec === "h264" ? (first & 0xe0) | type : (first & 0x81) | (type << 1);
      room.writeUInt8(head, from + HEAD_BYTES);
      room.copyWithin(from + flagsAt, from + flagsAt + 1, at);
    }
    const ends = whole ? at - 1 : at;
    room.writeUInt16BE(ends - from - FRAME_HEAD_BYTES, from + 2);
    return ends;
  }

  return {
    add(frame, room, at) {
      const isPart = isFragment(frame);
      if (isPart && open && continues(frame, room)) {
        const { from } = open;
        open.sequence = frame.readUInt16BE(6);
        room[from + 5] = room.readUInt8(from + 5) | (frame.readUInt8(5) & MARKER);
        room[from + flagsAt] = room.readUInt8(from + flagsAt) | (frame.readUInt8(flagsAt) & END);
        return at + frame.copy(room, at, flagsAt + 1);
      }
      const from = end(room, at);
      const ends = from + frame.copy(room, from);
      if (frame.length < HEAD_BYTES) return ends;
      const sequence = frame.readUInt16BE(6);
      next = ((next ?? sequence - 1) + 1) & 0xffff;
      room.writeUInt16BE(next, from + 6);
      if (isPart) open = { from, sequence };
      return ends;
    },
    end,
  };
}
