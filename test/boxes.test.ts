import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { boxesIn } from "../drivers/camera/boxes.ts";
import type { Track } from "../drivers/camera/init.ts";
import { readMoof } from "../drivers/camera/moof.ts";

function numbers(...all: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * all.length);
  for (const [index, one] of all.entries()) bytes.writeUInt32BE(one, index * 4);
  return bytes;
}

function box(type: string, ...bodies: readonly Buffer[]): Buffer {
  const body = Buffer.concat(bodies);
  return Buffer.concat([numbers(body.length + 8), Buffer.from(type, "latin1"), body]);
}

/** A track's part of a fragment: lists of so many samples each, of a default size and duration. */
function traf(id: number, ...lists: readonly number[]): Buffer {
  const truns = lists.map((count) => box("trun", numbers(0, count)));
  return box("traf", box("tfhd", numbers(0, id)), box("tfdt", numbers(0, 0)), ...truns);
}

function track(id: number): Track {
  const defaults = { durationTicks: 1, sizeBytes: 1, flags: 0 };
  return { id, kind: "video", timescale: 90_000, entry: "avc1", defaults };
}

/** How many samples are read of a fragment of `trafs`, with two tracks. */
function samplesOf(...trafs: readonly Buffer[]): readonly number[] {
  const runs = readMoof(box("moof", ...trafs), [track(1), track(2)]);
  return runs.map((run) => run.samples.length);
}

describe("the boxes of a stream that means ill", () => {
  it("are refused for one track twice before its samples are gathered", () => {
    // Who gathers them first says that they are too many.
    const twice = [traf(1, 15_000), traf(1, 20_001)];
    assert.throws(() => samplesOf(...twice), { code: "CAMERA_STREAM", message: /one track twice/ });
  });

  it("hold 20,000 samples in all tracks and lists together, and no more", () => {
    assert.deepEqual(samplesOf(traf(1, 5000, 5000), traf(2, 10_000)), [10_000, 10_000]);
    const refused = { code: "CAMERA_STREAM", message: /too many samples/ };
    assert.throws(() => samplesOf(traf(1, 5000, 5000), traf(2, 10_001)), refused);
    assert.throws(() => samplesOf(traf(1, 20_001)), refused);
    assert.throws(() => samplesOf(traf(1, 0xff_ff_ff_ff)), refused);
  });

  it("are a thousand in a box, and no more: 120,000 would be looked through for 145 ms", () => {
    const boxes = (count: number) =>
      Buffer.concat(Array.from({ length: count }, () => box("free")));
    assert.equal([...boxesIn(boxes(1000))].length, 1000);
    const refused = { code: "CAMERA_STREAM", message: /too many boxes/ };
    assert.throws(() => [...boxesIn(boxes(1001))], refused);
    assert.throws(() => samplesOf(traf(1, ...Array.from({ length: 1000 }, () => 0))), refused);
  });
});
