import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { openDamage } from "../drivers/camera/damage.ts";
import type { Fragment } from "../drivers/camera/fragments.ts";
import { type Hole, type Holes, openHoles } from "../drivers/camera/holes.ts";
import { frame, rtp } from "./fakes/rtp-clip.ts";

const PICTURE_TICKS = 3600;
const PICTURE_MS = 40;

/** The packet `number` of a stream with `each` packets in a picture. */
function packet(number: number, each: number, from = 0, ticks = 0): Buffer {
  const marker = number % each === each - 1;
  const timestamp = ticks + Math.floor(number / each) * PICTURE_TICKS;
  return frame(0, rtp(96, marker, from + number, timestamp, Buffer.alloc(20)));
}

function watched(): Holes {
  const holes = openHoles();
  holes.watch(0);
  return holes;
}

/** The hole that packets with these numbers have, 25 pictures a second, one packet each. */
function holeOf(numbers: readonly number[]): Hole | undefined {
  const holes = watched();
  for (const [index, number] of numbers.entries())
    holes.look(frame(0, rtp(96, true, number, index * PICTURE_TICKS, Buffer.alloc(20))));
  return holes.take();
}

describe("a stream with packets missing", () => {
  it("has a hole where they are, of as many as they are, whatever its numbers begin with", () => {
    const numbers = fc.nat(0xffff);
    const length = fc.integer({ min: 2, max: 300 });
    fc.assert(
      fc.property(
        numbers,
        fc.nat(0xffffffff),
        length,
        fc.nat(),
        fc.nat(),
        (from, ticks, all, a, b) => {
          const each = 3;
          const [first, last] = [1 + (a % all), 1 + (b % all)].toSorted((one, two) => one - two);
          assert.ok(first !== undefined && last !== undefined);
          const holes = watched();
          const sent = Array.from({ length: all + 2 }, (_, number) => number).filter(
            (number) => number < first || number > last,
          );
          holes.look(Buffer.concat(sent.map((number) => packet(number, each, from, ticks))));
          const [fromMs, toMs] = [first - 1, last + 1].map(
            (number) => Math.floor(number / each) * PICTURE_MS,
          );
          assert.deepEqual(holes.take(), { fromMs, toMs, packets: last - first + 1 });
          assert.equal(holes.take(), undefined);
        },
      ),
    );
  });

  it("has none where numbers go around, come twice, or come late", () => {
    assert.equal(holeOf([65_534, 65_535, 0, 1]), undefined);
    assert.equal(holeOf([7, 8, 8, 9]), undefined);
    assert.equal(holeOf([7, 8, 9, 8, 10]), undefined);
    assert.equal(holeOf([40_000]), undefined);
  });

  it("lacks one packet where numbers begin anew", () => {
    assert.deepEqual(holeOf([1, 2, 30_000, 30_001]), { fromMs: 40, toMs: 80, packets: 1 });
    assert.deepEqual(holeOf([30_000, 1, 2]), { fromMs: 0, toMs: 40, packets: 1 });
  });

  it("is told of its video alone", () => {
    const holes = watched();
    for (const number of [1, 5, 9])
      for (const channel of [1, 2])
        holes.look(frame(channel, rtp(96, true, number, 0, Buffer.alloc(9))));
    assert.equal(holes.take(), undefined);
  });

  it("is looked at whatever its frames hold", () => {
    const packets = fc.array(fc.uint8Array({ minLength: 2, maxLength: 40 }), { maxLength: 20 });
    fc.assert(
      fc.property(packets, (all) => {
        const holes = watched();
        holes.look(Buffer.concat(all.map((one) => frame(0, Buffer.from(one)))));
        const hole = holes.take();
        if (hole) assert.ok(hole.fromMs <= hole.toMs && hole.packets > 0);
      }),
    );
  });
});

/** One second from `mediaMs` on, that begins with a key picture or goes on. */
function fragment(mediaMs: number, keyframe: boolean): Fragment {
  const defaults = { durationTicks: 1000, sizeBytes: 0, flags: 0 };
  const track = { id: 1, kind: "video", timescale: 1000, entry: "avc1", defaults } as const;
  const lists = { startAt: 0, wide: true, listsAt: [], samples: [] };
  const run = { track, startTicks: mediaMs, durationTicks: 1000, keyframe, ...lists };
  const plain = { bytes: [], parameters: "", prftMs: undefined };
  return { kind: "fragment", ...plain, runs: [run], keyframe, mediaMs, durationMs: 1000 };
}

/** Ten seconds, a key picture in every second one, and these holes, each found a second before it is heard. */
function damagedBy(...holes: readonly Hole[]) {
  const damage = openDamage();
  for (let second = 0; second < 10; second += 1) {
    const found = holes.find(({ fromMs }) => Math.floor(fromMs / 1000) === second + 1);
    damage.hear(fragment(second * 1000, second % 2 === 0), found);
  }
  return damage;
}

describe("damage in a stream", () => {
  it("lasts from the picture before it to the next key picture", () => {
    const damage = damagedBy({ fromMs: 2500, toMs: 2540, packets: 3 });
    const found = { fromMs: 2500, untilMs: 4000, packets: 3 };
    assert.deepEqual(damage.within(0, 10_000), found);
  });

  it("lasts over a key picture that lacks something itself", () => {
    const damage = damagedBy({ fromMs: 3960, toMs: 4000, packets: 1 });
    assert.deepEqual(damage.within(0, 10_000), { fromMs: 3960, untilMs: 6000, packets: 1 });
  });

  it("is one in a segment, from its first to its last", () => {
    const damage = damagedBy(
      { fromMs: 2500, toMs: 2540, packets: 3 },
      { fromMs: 7000, toMs: 7040, packets: 2 },
    );
    assert.deepEqual(damage.within(0, 10_000), { fromMs: 2500, untilMs: 8000, packets: 5 });
  });

  it("ends with its segment where no key picture came, and goes on in the next; is counted once", () => {
    const damage = damagedBy({ fromMs: 8500, toMs: 8540, packets: 4 });
    assert.deepEqual(damage.within(0, 9000), { fromMs: 8500, untilMs: 9000, packets: 4 });
    damage.hear(fragment(10_000, true), undefined);
    assert.deepEqual(damage.within(9000, 12_000), { fromMs: 9000, untilMs: 10_000, packets: 0 });
    assert.equal(damage.within(12_000, 15_000), undefined);
  });

  it("is none of a segment before it or behind it", () => {
    const damage = damagedBy({ fromMs: 5500, toMs: 5540, packets: 1 });
    assert.equal(damage.within(0, 4000), undefined);
    assert.deepEqual(damage.within(4000, 6000), { fromMs: 5500, untilMs: 6000, packets: 1 });
    assert.equal(damage.within(6000, 10_000), undefined);
  });
});
