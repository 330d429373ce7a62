import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, it } from "mocha";
import { type Instant, instant } from "#base/time";
import { type Cut, cut } from "../drivers/camera/cutter.ts";
import { readFragments } from "../drivers/camera/fragments.ts";
import { type ClipKind, decode, fragmented, frameHashes, makeClip, SOUND } from "./fakes/clips.ts";
import { temporaryFolder } from "./fakes/folder.ts";

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

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer, void, undefined> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

async function stored(kind: ClipKind, stream: Buffer, segmentMs: number): Promise<Stored> {
  const cuts: Cut[] = [];
  const segments: Buffer[][] = [];
  for await (const piece of cut(readFragments(inPieces(stream, 10_007)), segmentMs, at)) {
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
});
