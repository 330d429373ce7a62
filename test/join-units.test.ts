import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import type { VideoCodec } from "../drivers/camera/address.ts";
import { type Joiner, openJoiner } from "../drivers/camera/join-units.ts";

const ROOM_BYTES = 70_000;

interface Packet {
  readonly payload: Buffer;
  readonly sequence: number;
  readonly timestamp: number;
  readonly marker: boolean;
}

function frameOf({ payload, sequence, timestamp, marker }: Packet): Buffer {
  const head = Buffer.from([
    0x24,
    0,
    0,
    0,
    0x80,
    marker ? 0xe0 : 0x60,
    0,
    0,
    0,
    0,
    0,
    0,
    1,
    2,
    3,
    4,
  ]);
  head.writeUInt16BE(12 + payload.length, 2);
  head.writeUInt16BE(sequence & 0xffff, 6);
  head.writeUInt32BE(timestamp, 8);
  return Buffer.concat([head, payload]);
}

/** A unit as a camera sends it: whole, or in fragments of `size`. */
function payloadsOf(codec: VideoCodec, unit: Buffer, size: number): Buffer[] {
  const headBytes = codec === "h264" ? 1 : 2;
  if (unit.length <= size) return [unit];
  const first = unit.readUInt8(0);
  const type = codec === "h264" ? first & 0x1f : (first >> 1) & 0x3f;
  const head = Buffer.from(unit.subarray(0, headBytes));
  head[0] = codec === "h264" ? (first & 0xe0) | 28 : (first & 0x81) | (49 << 1);
  const parts: Buffer[] = [];
  for (let at = headBytes; at < unit.length; at += size) {
    const flags = (at === headBytes ? 0x80 : 0) | (at + size >= unit.length ? 0x40 : 0);
    parts.push(Buffer.concat([head, Buffer.from([flags | type]), unit.subarray(at, at + size)]));
  }
  return parts;
}

/** Puts units together again as RFC 6184 and 7798 say, from interleaved frames. */
function unitsOf(codec: VideoCodec, frames: Buffer): { units: Buffer[]; sequences: number[] } {
  const headBytes = codec === "h264" ? 1 : 2;
  const units: Buffer[] = [];
  const sequences: number[] = [];
  for (let at = 0; at < frames.length; ) {
    const end = at + 4 + frames.readUInt16BE(at + 2);
    assert.equal(frames[at], 0x24);
    assert.ok(end <= frames.length);
    sequences.push(frames.readUInt16BE(at + 6));
    const payload = frames.subarray(at + 16, end);
    at = end;
    const first = payload.readUInt8(0);
    const type = codec === "h264" ? first & 0x1f : (first >> 1) & 0x3f;
    if (type !== (codec === "h264" ? 28 : 49)) {
      units.push(payload);
      continue;
    }
    const flags = payload.readUInt8(headBytes);
    const head = Buffer.from(payload.subarray(0, headBytes));
    const inner = flags & 0x3f;
    head[0] = codec === "h264" ? (first & 0xe0) | inner : (first & 0x81) | (inner << 1);
    const body = payload.subarray(headBytes + 1);
    if ((flags & 0x80) !== 0) units.push(Buffer.concat([head, body]));
    else units.push(Buffer.concat([units.pop() ?? Buffer.alloc(0), body]));
  }
  return { units, sequences };
}

/** All frames through one room, emptied where the next does not fit, and after each of `ends`. */
function joined(joiner: Joiner, frames: readonly Buffer[], ends: ReadonlySet<number>): Buffer {
  const room = Buffer.alloc(ROOM_BYTES);
  const gone: Buffer[] = [];
  let filled = 0;
  const empty = (): void => {
    filled = joiner.end(room, filled);
    gone.push(Buffer.from(room.subarray(0, filled)));
    filled = 0;
  };
  for (const [index, frame] of frames.entries()) {
    if (filled + frame.length > room.length) empty();
    filled = joiner.add(frame, room, filled);
    if (ends.has(index)) empty();
  }
  empty();
  return Buffer.concat(gone);
}

const TYPES = { h264: [0x65, 0x41, 0x67, 0x06], h265: [0x26, 0x02, 0x42, 0x4e] } as const;

function unitOf(codec: VideoCodec): fc.Arbitrary<Buffer> {
  return fc
    .record({ first: fc.constantFrom(...TYPES[codec]), bytes: fc.integer({ min: 2, max: 9000 }) })
    .map(({ first, bytes }) => {
      const unit = Buffer.alloc(bytes + 2, bytes & 0xff);
      unit[0] = first;
      unit[1] = 1;
      unit.writeUInt16BE(bytes, unit.length - 2);
      return unit;
    });
}

function packetsOf(
  codec: VideoCodec,
  units: readonly Buffer[],
  size: number,
  from: number,
): Packet[] {
  return units
    .flatMap((unit, time) =>
      payloadsOf(codec, unit, size).map((payload, index, all) => {
        return { payload, timestamp: time * 3600, marker: index === all.length - 1 };
      }),
    )
    .map((packet, index) => ({ ...packet, sequence: from + index }));
}

describe("fragments joined on their way to ffmpeg", () => {
  for (const codec of ["h264", "h265"] as const) {
    it(`give the same units, in order and fewer packets, however they were cut: ${codec} (AR-16)`, () => {
      const cases = fc.record({
        units: fc.array(unitOf(codec), { minLength: 1, maxLength: 8 }),
        size: fc.integer({ min: 50, max: 1400 }),
        from: fc.integer({ min: 0, max: 0xffff }),
        ends: fc.array(fc.nat(60), { maxLength: 6 }),
      });
      fc.assert(
        fc.property(cases, ({ units, size, from, ends }) => {
          const packets = packetsOf(codec, units, size, from);
          const out = joined(openJoiner(codec), packets.map(frameOf), new Set(ends));
          const seen = unitsOf(codec, out);
          assert.deepEqual(seen.units, units);
          assert.ok(seen.sequences.length <= packets.length);
          const expected = seen.sequences.map((_, index) => (from + index) & 0xffff);
          assert.deepEqual(seen.sequences, expected);
          if (ends.length === 0 && units.every(({ length }) => length < 6000))
            assert.equal(seen.sequences.length, units.length);
        }),
      );
    });

    it(`are not joined over a packet that is missing, late or doubled: ${codec}`, () => {
      const unit = Buffer.alloc(5000, 7);
      unit[0] = TYPES[codec][0];
      const packets = packetsOf(codec, [unit], 1000, 10);
      const [first, second, third, ...rest] = packets;
      assert.ok(first && second && third && rest.length > 0);
      for (const [all, frames] of [
        [[first, third, ...rest], 2],
        [[first, third, second, ...rest], 4],
        [[first, second, second, third, ...rest], 2],
      ] as const) {
        const out = joined(openJoiner(codec), all.map(frameOf), new Set());
        assert.equal(unitsOf(codec, out).sequences.length, frames);
      }
    });
  }

  it("are frames again, in no more bytes, whatever a camera sends", () => {
    const packet = fc.record({
      payload: fc.uint8Array({ maxLength: 40 }).map((one) => Buffer.from(one)),
      sequence: fc.integer({ min: 0, max: 3 }),
      timestamp: fc.constantFrom(0, 1),
      marker: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.constantFrom<VideoCodec>("h264", "h265"),
        fc.array(packet, { maxLength: 12 }),
        fc.array(fc.nat(12)),
        (codec, packets, ends) => {
          const frames = packets.map(frameOf);
          const out = joined(openJoiner(codec), frames, new Set(ends));
          assert.ok(out.length <= Buffer.concat(frames).length);
          let at = 0;
          while (at < out.length) {
            assert.equal(out[at], 0x24);
            at += 4 + out.readUInt16BE(at + 2);
          }
          assert.equal(at, out.length);
        },
      ),
    );
  });
});
