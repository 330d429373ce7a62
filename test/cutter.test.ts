import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, it } from "mocha";
import { type Instant, instant } from "#base/time";
import { type Cut, cut } from "../drivers/camera/cutter.ts";
import type { Fragment } from "../drivers/camera/fragments.ts";
import type { Init } from "../drivers/camera/init.ts";
import {
  annexB,
  type ClipKind,
  decode,
  fragmented,
  frameHashes,
  makeClip,
  SOUND,
} from "./fakes/clips.ts";
import { temporaryFolder } from "./fakes/folder.ts";
import { piecesOf } from "./fakes/pieces.ts";

const SECONDS = 16;
const SEGMENT_MS = 5000;
const folder = await temporaryFolder();
after(() => folder[Symbol.asyncDispose]());

/** One second after a slot began, so that the first segment is shorter than the others. */
const BEGAN = 1_700_000_001_000;
const at = (mediaMs: number): Instant => instant(Math.round(BEGAN + mediaMs));

interface Stored {
  readonly cuts: readonly Cut[];
  readonly paths: readonly string[];
}

async function stored(kind: ClipKind, stream: Buffer, segmentMs: number): Promise<Stored> {
  const cuts: Cut[] = [];
  const segments: Buffer[][] = [];
  for await (const piece of cut(piecesOf(stream, 10_007), segmentMs, at)) {
    if (piece.kind === "fragment") segments.at(-1)?.push(...piece.bytes);
    else segments.push([piece.init]);
    if (piece.kind === "cut") cuts.push(piece);
  }
  const paths = segments.map((_, index) => join(folder.path, `${kind}-${index}.mp4`));
  for (const [index, path] of paths.entries())
    await writeFile(path, Buffer.concat(segments[index] ?? []));
  return { cuts, paths };
}

/** What ffprobe says of the picture: what it is called, and its start and length in seconds. */
function probed(path: string): {
  readonly tag: string;
  readonly start: number;
  readonly length: number;
} {
  const what = "stream=codec_tag_string,start_time,duration";
  const how = [
    "-v",
    "error",
    "-select_streams",
    "v",
    "-show_entries",
    what,
    "-of",
    "csv=p=0",
    path,
  ];
  const [tag = "", start, length] = execFileSync("ffprobe", how, { encoding: "utf8" })
    .trim()
    .split(",");
  return { tag, start: Number(start), length: Number(length) };
}

/** What of a stream may be made by hand: a fragment of a second, and its keyframe. */
function fragment(mediaMs: number, keyframe: boolean, parameters = "one"): Fragment {
  return {
    kind: "fragment",
    bytes: [],
    runs: [],
    keyframe,
    mediaMs,
    durationMs: 1000,
    prftMs: undefined,
    parameters,
  };
}

async function* sent(
  pieces: readonly (Init | Fragment)[],
): AsyncGenerator<Init | Fragment, void, undefined> {
  yield* pieces;
}

/** Each cut: where in the stream, why, and what came before it in vain. */
async function cutsOf(
  pieces: readonly (Init | Fragment)[],
): Promise<readonly (readonly unknown[])[]> {
  const found: (readonly unknown[])[] = [];
  for await (const piece of cut(sent(pieces), SEGMENT_MS, at)) {
    if (piece.kind === "cut") found.push([piece.mediaMs, piece.why, piece.dropped]);
  }
  return found;
}

/** Where it cuts when each second's keyframe finds the stream's time reckoned so much too late. */
async function cutsAsReckoned(
  seconds: number,
  lateMsAt: (second: number) => number,
): Promise<readonly number[]> {
  let lateMs = 0;
  async function* pieces(): AsyncGenerator<Init | Fragment, void, undefined> {
    yield HEAD;
    for (let second = 0; second < seconds; second += 1) {
      lateMs = lateMsAt(second);
      yield fragment(second * 1000, true);
    }
  }
  const cuts: number[] = [];
  for await (const piece of cut(pieces(), SEGMENT_MS, (mediaMs) =>
    instant(BEGAN + mediaMs + lateMs),
  )) {
    if (piece.kind === "cut") cuts.push(piece.mediaMs);
  }
  return cuts;
}

const HEAD: Init = {
  kind: "init",
  bytes: Buffer.from("head"),
  tracks: [],
  video: {
    trackId: 1,
    codec: "h264",
    codecText: "avc1",
    width: 1,
    height: 1,
    lengthBytes: 4,
    sets: new Map(),
  },
  parameters: "one",
  goesOn: false,
};

/** Two clips of different size, one after the other, without a new head between them. */
async function turned(into: string): Promise<string> {
  const large = annexB(into, "h264", 2)([]);
  const path = join(into, "turned.h264");
  const small = join(into, "small.h264");
  const how = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 50 -bf 0 -t 2".split(" ");
  const from = ["-f", "lavfi", "-i", "testsrc2=size=176x144:rate=25"];
  execFileSync("ffmpeg", ["-v", "error", "-nostdin", "-y", ...from, ...how, small]);
  await writeFile(path, Buffer.concat([await readFile(large), await readFile(small)]));
  return path;
}

/** Of the pictures once decoded, not of what the head says. */
function sizeOf(path: string): string {
  const how = ["-v", "error", "-select_streams", "v", "-show_entries", "frame=width,height"];
  const out = execFileSync("ffprobe", [...how, "-of", "csv=p=0:s=x", path], { encoding: "utf8" });
  return [...new Set(out.match(/^\d+x\d+/gm))].join();
}

const KINDS = ["h264", "h264-b-frames", "h265", "aac", "pcma"] as const;

describe("the cutter", () => {
  for (const kind of KINDS) {
    it(`loses and doubles nothing of ${kind}, and each segment decodes alone from 0 (AR-12)`, async () => {
      const clip = makeClip(folder.path, kind, SECONDS);
      const { cuts, paths } = await stored(kind, fragmented(clip, kind), SEGMENT_MS);
      assert.deepEqual(
        cuts.map((one) => one.why),
        ["start", "time", "time", "time"],
      );
      for (const stream of SOUND.has(kind) ? (["v", "a"] as const) : (["v"] as const)) {
        const kept = paths.flatMap((path) => frameHashes(path, stream));
        assert.deepEqual(kept, frameHashes(clip, stream));
      }
      for (const path of paths) decode(path);
      for (const [index, seconds] of [4, 6, 4, 2].entries()) {
        const { tag, start, length } = probed(paths[index] ?? "");
        assert.equal(tag, kind === "h265" ? "hvc1" : "avc1");
        assert.ok(Math.abs(start) <= 0.04, `starts at ${start}`);
        assert.ok(
          Math.abs(length - seconds) <= (kind === "aac" ? 0.065 : 0.04),
          `lasts ${length} s`,
        );
      }
    });
  }

  it("grows a segment up to three times its length, then gives the stream up", async () => {
    const clip = makeClip(folder.path, "long-gop", SECONDS);
    const { paths } = await stored("long-gop", fragmented(clip, "long-gop"), 5500);
    assert.deepEqual(
      paths.flatMap((path) => frameHashes(path, "v")),
      frameHashes(clip, "v"),
    );
    const refused = { code: "CAMERA_STREAM", message: /no key picture/ };
    await assert.rejects(stored("long-gop", fragmented(clip, "long-gop"), 5000), refused);
    const never = Array.from({ length: 15 }, (_, second) => fragment(second * 1000, false));
    await assert.rejects(cutsOf([HEAD, ...never]), refused);
  });

  it("starts a segment where the parameters change, and each half decodes alone", async () => {
    const clip = await turned(folder.path);
    const { cuts, paths } = await stored("h264", fragmented(clip, "h264"), 60_000);
    assert.deepEqual(
      cuts.map((one) => [one.mediaMs, one.why]),
      [
        [0, "start"],
        [2000, "parameters"],
      ],
    );
    assert.equal(paths.flatMap((path) => frameHashes(path, "v")).length, 4 * 25);
    for (const path of paths) decode(path);
    assert.deepEqual(paths.map(sizeOf), ["320x180", "176x144"]);
  });

  it("does not follow parameters that change faster than twice a second", async () => {
    const quick = [0, 200, 400, 600].map((ms) => fragment(ms, true, `after ${ms}`));
    assert.deepEqual(await cutsOf([HEAD, ...quick]), [
      [0, "start", 0],
      [600, "parameters", 0],
    ]);
  });

  it("begins anew with a new head, at its first keyframe, and counts what came before it", async () => {
    const pieces = [
      fragment(0, false),
      fragment(1000, true),
      HEAD,
      fragment(2000, false),
      fragment(3000, false),
      fragment(3500, true),
    ];
    const cuts = await cutsOf([HEAD, ...pieces]);
    assert.deepEqual(cuts, [
      [1000, "start", 1],
      [3500, "parameters", 2],
    ]);
  });

  it("cuts once at a boundary though the time of the cut is reckoned a little earlier afterwards", async () => {
    // It cuts 5 ms after the boundary, and learns that this was 5 ms before it.
    const cuts = await cutsAsReckoned(12, (second) => (second <= 4 ? 5 : -5));
    assert.deepEqual(cuts, [0, 4000, 10_000]);
  });

  it("reckons from a better time than it had when a segment began", async () => {
    // It seemed to begin half a second into the next slot; it was four seconds before that slot.
    assert.deepEqual(await cutsAsReckoned(6, (second) => (second === 0 ? 4500 : 0)), [0, 4000]);
  });
});
