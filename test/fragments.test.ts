import assert from "node:assert/strict";
import * as fc from "fast-check";
import { after, describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { systemClock } from "#base/system-clock";
import { instant } from "#base/time";
import { cut } from "../drivers/camera/cutter.ts";
import type { Fragment } from "../drivers/camera/fragments.ts";
import type { Init } from "../drivers/camera/init.ts";
import { setsOfConfiguration } from "../drivers/camera/parameter-sets.ts";
import { seiNames } from "../drivers/camera/sei.ts";
import { openStreamClock } from "../drivers/camera/stream-clock.ts";
import { annexB, fragmented, makeClip } from "./fakes/clips.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { piecesOf } from "./fakes/pieces.ts";

const SECONDS = 6;
const folder = await temporaryFolder();
after(() => folder[Symbol.asyncDispose]());

const clip = makeClip(folder.path, "h264", SECONDS);
const stream = fragmented(clip, "h264");
const sound = fragmented(makeClip(folder.path, "aac", SECONDS), "aac");

interface Read {
  readonly init: Init;
  readonly fragments: readonly Fragment[];
}

async function read(bytes: Buffer, size = 65_536): Promise<Read> {
  const inits: Init[] = [];
  const fragments: Fragment[] = [];
  for await (const piece of piecesOf(bytes, size)) {
    if (piece.kind === "init") inits.push(piece);
    else fragments.push(piece);
  }
  const [init] = inits;
  assert.ok(init);
  return { init, fragments };
}

/** All that a recorder does with a stream, but for keeping it. */
async function recorded(bytes: Buffer, size: number): Promise<void> {
  const times = openStreamClock(systemClock, () => true);
  let init: Init | undefined;
  async function* heard(): AsyncGenerator<Init | Fragment, void, undefined> {
    for await (const piece of piecesOf(bytes, size)) {
      if (piece.kind === "init") init = piece;
      else times.hear(piece);
      yield piece;
    }
  }
  for await (const piece of cut(heard(), 2000, times.at)) {
    if (piece.kind === "fragment" && init) seiNames(init, piece.fragment);
  }
}

function box(type: string, ...bodies: readonly Buffer[]): Buffer {
  const body = Buffer.concat(bodies);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length + 8, 0);
  head.write(type, 4, "latin1");
  return Buffer.concat([head, body]);
}

const REFUSED = { code: "CAMERA_STREAM" };

describe("a stream of fragments", () => {
  it("is read the same in whatever pieces it comes", async () => {
    const whole = await read(stream, stream.length);
    const small = await read(stream, 7);
    const shape = ({ fragments }: Read): readonly unknown[] =>
      fragments.map((one) => [one.keyframe, one.mediaMs, one.durationMs, Buffer.concat(one.bytes)]);
    assert.deepEqual(shape(small), shape(whole));
    const again = Buffer.concat([small.init.bytes, ...small.fragments.flatMap((one) => one.bytes)]);
    assert.equal(again.length, stream.length - 32 * small.fragments.length);
  });

  it("says what its picture is, and where each keyframe is", async () => {
    const { init, fragments } = await read(stream);
    const { codec, codecText, width, height } = init.video;
    assert.deepEqual([codec, width, height], ["h264", 320, 180]);
    assert.match(codecText, /^avc1\.42c0/);
    const keys = fragments.flatMap((one) => (one.keyframe ? [one.mediaMs] : []));
    assert.deepEqual(keys, [0, 2000, 4000]);
    const lastsMs = fragments.reduce((sum, one) => sum + one.durationMs, 0);
    assert.equal(lastsMs, SECONDS * 1000);
    assert.ok(fragments.every((one) => one.prftMs !== undefined && one.durationMs <= 520));
  });

  it("is H.265 under the name that every player takes", async () => {
    const { init } = await read(fragmented(makeClip(folder.path, "h265", 2), "h265"));
    assert.equal(init.video.codec, "h265");
    assert.match(init.video.codecText, /^hvc1\.1\.6\.L\d+/);
  });

  it("keeps sound beside its picture", async () => {
    const { init, fragments } = await read(sound);
    assert.deepEqual(
      init.tracks.map((track) => track.entry),
      ["avc1", "mp4a"],
    );
    const samples = fragments.flatMap((one) =>
      one.runs.map((run) => [run.track.kind, run.samples.length]),
    );
    const heard = samples.reduce(
      (sum, [kind, count]) => sum + (kind === "audio" ? Number(count) : 0),
      0,
    );
    assert.ok(heard >= (SECONDS * 16_000) / 1024);
  });

  it("ends without what is not whole", async () => {
    const { fragments } = await read(stream.subarray(0, stream.length - 1));
    assert.equal(fragments.length, (await read(stream)).fragments.length - 1);
  });

  it("is refused for a box that nobody knows, or of more than 64 MiB", async () => {
    await assert.rejects(read(Buffer.concat([stream, box("evil")])), REFUSED);
    const large = box("mdat");
    large.writeUInt32BE(64 * 1024 * 1024 + 1, 0);
    await assert.rejects(read(Buffer.concat([stream, large])), REFUSED);
    await assert.rejects(read(Buffer.from("HTTP/1.1 404 Not Found\r\n\r\n")), REFUSED);
    await assert.rejects(read(box("mdat", Buffer.alloc(9))), REFUSED);
  });

  it("is refused for a time beyond all times", async () => {
    const tfdt = Buffer.from(stream);
    tfdt.writeUInt32BE(0x10000, tfdt.indexOf("tfdt") + 8);
    await assert.rejects(read(tfdt), { ...REFUSED, message: /beyond all times/ });
    const tfhd = Buffer.from(stream);
    // Behind its flags and its track: how long each picture lasts.
    tfhd.writeUInt32BE(0xf0000000, tfhd.indexOf("tfhd") + 12);
    await assert.rejects(read(tfhd), { ...REFUSED, message: /beyond all times/ });
  });

  it("is refused where its parameter sets are cut short, wherever that is", () => {
    const at = stream.indexOf("avcC");
    const whole = stream.subarray(at + 4, at - 4 + stream.readUInt32BE(at - 4));
    assert.equal(setsOfConfiguration("h264", "avc1", whole).sets.size, 2);
    const sets = 6 + 2 + whole.readUInt16BE(6) + 1;
    for (let length = 0; length < sets + 2 + whole.readUInt16BE(sets); length += 1) {
      const short = whole.subarray(0, length);
      assert.throws(() => setsOfConfiguration("h264", "avc1", short), REFUSED, `at ${length}`);
    }
  });

  it("is refused or read, and nothing else, whatever is wrong in it", async function () {
    this.timeout(240_000);
    const changes = fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { maxLength: 8 });
    const early = fc.array(fc.tuple(fc.nat(4000), fc.nat(255)), { minLength: 1, maxLength: 8 });
    const property = fc.asyncProperty(
      fc.oneof(early, changes),
      fc.integer({ min: 97, max: 99_999 }),
      async (wrong, size) => {
        const bytes = Buffer.from(sound);
        for (const [at, value] of wrong) bytes[at] = value;
        try {
          await recorded(bytes, size);
        } catch (error) {
          if (!(error instanceof BewaardError && error.code === "CAMERA_STREAM")) throw error;
        }
      },
    );
    await fc.assert(property, { numRuns: 1000 });
  });
});

/** A unit of H.264 that carries one message. */
function sei(type: number, payload: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from([0, 0, 0, 1, 6, type, payload.length]),
    payload,
    Buffer.from([0x80]),
  ]);
}

describe("what a stream carries beside its pictures", () => {
  it("is named, the signatures of ONVIF and Axis by who made them", async () => {
    const onvif = Buffer.from("005bc93f2d715e95ada4796f90877a6f6f6e", "hex");
    const axis = Buffer.from("Signed Video...0 and so on", "latin1");
    // Two messages in a unit, the first of which holds zeros that had to be told from the start of one.
    const zeros = Buffer.from("000003010144042a2a2a2a", "hex");
    const two = Buffer.concat([Buffer.from([0, 0, 0, 1, 6, 144, 4]), zeros, Buffer.from([0x80])]);
    const raw = annexB(folder.path, "h264", 1);
    const video = fragmented(
      raw([sei(5, onvif), sei(5, axis), sei(137, Buffer.alloc(4, 1)), sei(99, axis), two]),
      "h264",
    );
    const {
      init,
      fragments: [first],
    } = await read(video);
    assert.ok(first);
    assert.deepEqual(seiNames(init, first), [
      "light level",
      "mastering display",
      "signed video (Axis)",
      "signed video (ONVIF)",
      "type 68",
      "type 99",
      "user data (unregistered)",
    ]);
  });

  it("is named for H.265 too", async () => {
    const axis = Buffer.from("Signed Video...0", "latin1");
    const unit = Buffer.concat([
      Buffer.from([0, 0, 0, 1, 0x4e, 1, 5, 16]),
      axis,
      Buffer.from([0x80]),
    ]);
    const video = fragmented(annexB(folder.path, "h265", 1)([unit]), "h265");
    const { init, fragments } = await read(video);
    assert.ok(fragments[0]);
    assert.deepEqual(seiNames(init, fragments[0]), [
      "signed video (Axis)",
      "user data (unregistered)",
    ]);
  });

  it("is kept as it is in what is stored (AR-16)", async () => {
    const signed = sei(5, Buffer.from("005bc93f2d715e95ada4796f90877a6f6f6e", "hex"));
    const video = fragmented(annexB(folder.path, "h264", 1)([signed]), "h264");
    const kept: Buffer[] = [];
    const when = (mediaMs: number) => instant(1_700_000_000_000 + mediaMs);
    for await (const piece of cut(piecesOf(video, 999), 5000, when)) {
      if (piece.kind === "fragment") kept.push(...piece.bytes);
    }
    assert.ok(Buffer.concat(kept).includes(signed.subarray(4)));
  });
});
