import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { after, describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { instant } from "#base/time";
import { boxesIn, boxIn } from "../drivers/camera/boxes.ts";
import { spsIn } from "../drivers/camera/configuration.ts";
import { cut } from "../drivers/camera/cutter.ts";
import { initWith } from "../drivers/camera/head.ts";
import type { Init } from "../drivers/camera/init.ts";
import { textOf, withSets } from "../drivers/camera/parameter-sets.ts";
import { readSps } from "../drivers/camera/sps.ts";
import { annexB, decode, fragmented } from "./fakes/clips.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { piecesOf } from "./fakes/pieces.ts";

type Codec = "h264" | "h265";

const folder = await temporaryFolder();
after(() => folder[Symbol.asyncDispose]());

/** What a camera may change to, from a small H.264 or H.265 of 320x180. */
const CHANGES = [
  ["h264", "176x144", "baseline", "-c:v libx264 -preset ultrafast -bf 0 -pix_fmt yuv420p"],
  ["h264", "1280x718", "colour in 4:2:2, 10 bits", "-c:v libx264 -bf 0 -pix_fmt yuv422p10le"],
  ["h264", "350x284", "fields", "-c:v libx264 -bf 0 -pix_fmt yuv420p -flags +ilme+ildct"],
  [
    "h264",
    "322x180",
    "colour in 4:4:4, scaled",
    "-c:v libx264 -bf 0 -pix_fmt yuv444p -x264-params cqm=jvt",
  ],
  ["h264", "322x182", "no colour", "-c:v libx264 -bf 0 -pix_fmt gray"],
  [
    "h265",
    "640x358",
    "as it was",
    "-c:v libx265 -pix_fmt yuv420p -x265-params bframes=0:log-level=none",
  ],
  [
    "h265",
    "322x182",
    "colour in 4:4:4, 10 bits",
    "-c:v libx265 -pix_fmt yuv444p10le -x265-params bframes=0:log-level=none",
  ],
] as const;

/** Two clips one after the other, as ffmpeg hands over a camera that changed; and the second of them alone. */
async function turned(codec: Codec, size: string, how: string): Promise<[Buffer, Buffer]> {
  const before = annexB(folder.path, codec, 2)([]);
  const paths = ["second", "both"].map((name) => join(folder.path, `${name}.${codec}`));
  const [second = "", both = ""] = paths;
  const picture = ["-f", "lavfi", "-t", "1", "-i", `testsrc2=size=${size}:rate=25`];
  const form = ["-f", codec === "h264" ? "h264" : "hevc", second];
  execFileSync("ffmpeg", ["-v", "error", "-nostdin", "-y", ...picture, ...how.split(" "), ...form]);
  await writeFile(both, Buffer.concat([await readFile(before), await readFile(second)]));
  return [fragmented(both, codec), fragmented(second, codec)];
}

async function headsOf(bytes: Buffer): Promise<readonly Init[]> {
  const heads: Init[] = [];
  for await (const piece of piecesOf(bytes)) if (piece.kind === "init") heads.push(piece);
  return heads;
}

async function segmentsOf(bytes: Buffer): Promise<readonly Buffer[][]> {
  const segments: Buffer[][] = [];
  const at = (mediaMs: number) => instant(Math.round(1_700_000_000_000 + mediaMs));
  for await (const piece of cut(piecesOf(bytes), 60_000, at)) {
    if (piece.kind === "cut") segments.push([piece.init]);
    else segments.at(-1)?.push(...piece.bytes);
  }
  return segments;
}

/** Of the one picture in a head: its entry in stsd, and the box in it that decoders are told by. */
function entryOf(init: Buffer): Buffer {
  const path = ["moov", "trak", "mdia", "minf", "stbl", "stsd"];
  const stsd = path.reduce((body, type) => boxIn(body, type), init);
  const [entry] = boxesIn(stsd.subarray(8));
  assert.ok(entry);
  return entry.body;
}

function configurationIn(init: Buffer, codec: Codec): string {
  return boxIn(entryOf(init).subarray(78), codec === "h264" ? "avcC" : "hvcC").toString("hex");
}

function shownSize(init: Buffer): string {
  const tkhd = boxIn(boxIn(boxIn(init, "moov"), "trak"), "tkhd");
  return [8, 4].map((at) => tkhd.readUInt32BE(tkhd.length - at) / 65_536).join("x");
}

/** What ffprobe says of a file: where it is a head alone, that is what the head says. */
function probedSize(path: string): string {
  const how = ["-v", "error", "-select_streams", "v", "-show_entries", "stream=width,height"];
  return execFileSync("ffprobe", [...how, "-of", "csv=p=0:s=x", path], { encoding: "utf8" }).trim();
}

describe("the head of what a camera changed to", () => {
  for (const [codec, size, name, how] of CHANGES) {
    it(`is as it is of that alone: ${codec}, ${size}, ${name}`, async () => {
      const [both, alone] = await turned(codec, size, how);
      const heads = await headsOf(both);
      const [wanted] = await headsOf(alone);
      assert.ok(wanted);
      assert.deepEqual(
        heads.map(({ goesOn }) => goesOn),
        [false, true],
      );
      const { bytes: _, tracks: __, goesOn: ___, ...said } = heads[1] ?? wanted;
      const { video, parameters } = wanted;
      assert.deepEqual(said, { kind: "init", video, parameters });
      assert.equal(`${video.width}x${video.height}`, size);

      const segments = await segmentsOf(both);
      assert.equal(segments.length, 2);
      const [init = Buffer.alloc(0), ...fragments] = segments[1] ?? [];
      assert.equal(configurationIn(init, codec), configurationIn(wanted.bytes, codec));
      assert.equal(shownSize(init), size);
      const [head, path] = ["head.mp4", "segment.mp4"].map((one) => join(folder.path, one));
      await writeFile(head ?? "", init);
      await writeFile(path ?? "", Buffer.concat([init, ...fragments]));
      assert.equal(probedSize(head ?? ""), size);
      assert.equal(probedSize(path ?? ""), size);
      decode(path ?? "");
    });
  }

  it("counts layers of time, which stand before an SPS's size", async () => {
    const how = "bframes=2:temporal-layers=1:log-level=none";
    const [, alone] = await turned("h265", "322x182", `-c:v libx265 -x265-params ${how}`);
    const [init] = await headsOf(alone);
    const sps = init && spsIn("h265", init.video.sets);
    assert.ok(sps);
    const { layers, width, height } = readSps("h265", sps) ?? {};
    assert.deepEqual([layers, width, height], [2, 322, 182]);
  });

  it("keeps its numbers where the new SPS is not understood", async () => {
    const [init] = await headsOf(fragmented(annexB(folder.path, "h264", 1)([]), "h264"));
    assert.ok(init);
    const { video } = initWith(
      init,
      withSets("h264", init.video.sets, [Buffer.from("6742c0", "hex")]),
    );
    assert.deepEqual([video.width, video.height], [320, 180]);
    assert.equal(video.codecText, init.video.codecText);
  });

  it("is refused where there are more sets, or larger ones, than pictures need", () => {
    const many = Array.from({ length: 25 }, (_, index) => Buffer.from([0x68, 0, index, 9, index]));
    const refused = { code: "CAMERA_STREAM" };
    assert.ok(withSets("h264", new Map(), many.slice(0, 24)));
    const numbered = many.map((unit, index) =>
      Buffer.concat([unit.subarray(0, 1), Buffer.from([0, index])]),
    );
    assert.throws(() => withSets("h264", new Map(), numbered), refused);
    assert.throws(() => withSets("h264", new Map(), [Buffer.alloc(4097, 0x68)]), refused);
  });

  for (const codec of ["h264", "h265"] as const)
    it(`is written or refused, and nothing else, whatever sets come: ${codec}`, async () => {
      const [init] = await headsOf(fragmented(annexB(folder.path, codec, 1)([]), codec));
      assert.ok(init);
      const good = [...init.video.sets.values()].map((hex) => Buffer.from(hex, "hex"));
      const garbled = fc.tuple(
        fc.nat(good.length - 1),
        fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 100 }),
      );
      const unit = fc.oneof(
        fc.uint8Array({ minLength: 1, maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
        garbled.map(([index, wrong, length]) => {
          const bytes = Buffer.from(good[index] ?? []);
          for (const [at, value] of wrong) if (at > 1 && at < bytes.length) bytes[at] = value;
          return bytes.subarray(0, length);
        }),
      );
      const property = fc.property(fc.array(unit, { minLength: 1, maxLength: 30 }), (units) => {
        for (const one of units) readSps(codec, one);
        try {
          const changed = withSets(codec, init.video.sets, units);
          const { parameters, video } = initWith(init, changed);
          assert.equal(parameters, textOf(changed));
          assert.ok(video.width > 0 && video.width <= 16_384 && video.height > 0);
        } catch (error) {
          if (!(error instanceof BewaardError && error.code === "CAMERA_STREAM")) throw error;
        }
      });
      fc.assert(property, { numRuns: 3000 });
    });
});
