import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { startCamera } from "../../daemon/demo/simulated-camera.ts";
import { filmed, heard, makeFilm, SMALL_FILM } from "../../daemon/demo/simulated-clips.ts";
import { videoOf } from "../../daemon/demo/simulated-video.ts";
import type { AudioCodec, VideoCodec } from "../../drivers/camera/address.ts";
import { cut } from "../../drivers/camera/cutter.ts";
import { type Fragment, openFragments } from "../../drivers/camera/fragments.ts";
import { type Gate, openGate } from "../../drivers/camera/gate.ts";
import type { Init } from "../../drivers/camera/init.ts";
import { openRemux } from "../../drivers/camera/remux.ts";
import { openStreamClock, type StreamClock } from "../../drivers/camera/stream-clock.ts";
import { decode } from "../fakes/clips.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { piecesOf } from "../fakes/pieces.ts";
import { NEVER } from "../fakes/rig.ts";
import { frameHashes, walk } from "./frames.ts";
import { startGstServer } from "./gst-server.ts";
import { complaints } from "./probe.ts";

const SEGMENT_MS = 2000;
const CUTS = 11;
const OPEN = { scheme: "none", user: "", password: "", tls: undefined } as const;

interface Recorded {
  readonly paths: readonly string[];
  readonly startsAt: readonly number[];
  readonly times: StreamClock;
}

async function* heardBy(
  times: StreamClock,
  pieces: AsyncIterable<Init | Fragment>,
): AsyncGenerator<Init | Fragment, void, undefined> {
  for await (const piece of pieces) {
    if (piece.kind === "fragment") times.hear(piece);
    yield piece;
  }
}

/** Records until so many seconds of stream came, turning the camera at half of them; each segment, whole. */
async function turnedHalfway(
  camera: { readonly url: string },
  video: VideoCodec,
  turn: () => void,
  seconds: number,
): Promise<readonly Buffer[]> {
  const segments: Buffer[][] = [];
  const times = openStreamClock(systemClock, () => true);
  await using remux = await openRemux(camera.url, {
    video,
    audio: undefined,
    soundOffered: true,
    pictureKnown: true,
  });
  let turned = false;
  for await (const piece of cut(heardBy(times, remux.read(openFragments())), 60_000, times.at)) {
    if (piece.kind === "cut") segments.push([piece.init]);
    else segments.at(-1)?.push(...piece.bytes);
    const mediaMs = piece.kind === "cut" ? piece.mediaMs : piece.fragment.mediaMs;
    if (mediaMs >= seconds * 1000) break;
    if (turned || mediaMs < seconds * 500) continue;
    turned = true;
    turn();
  }
  return segments.map((pieces) => Buffer.concat(pieces));
}

/** Records the camera at `url` until the last of so many segments begins, which is not kept. */
async function recorded(
  folder: string,
  from: Pick<Gate, "url"> & Partial<Gate>,
  video: VideoCodec,
  audio: AudioCodec | undefined,
  cuts = CUTS,
) {
  const times = openStreamClock(systemClock, () => true);
  const segments: Buffer[][] = [];
  const begins: number[] = [];
  await using remux = await openRemux(from.url, {
    video,
    audio,
    soundOffered: true,
    pictureKnown: true,
  });
  from.admit?.(remux.reader, () => assert.fail("an intruder"));
  for await (const piece of cut(
    heardBy(times, remux.read(openFragments())),
    SEGMENT_MS,
    times.at,
  )) {
    if (piece.kind === "fragment") segments.at(-1)?.push(...piece.bytes);
    else if (segments.push([piece.init]) > cuts) break;
    else begins.push(piece.mediaMs);
  }
  const paths = segments.slice(0, cuts).map((_, index) => join(folder, `${index}.mp4`));
  for (const [index, path] of paths.entries())
    await writeFile(path, Buffer.concat(segments[index] ?? []));
  return { paths, startsAt: begins.map((ms) => times.at(ms)), times } satisfies Recorded;
}

describe("a camera's stream, cut", () => {
  for (const [codec, audio] of [
    ["h264", undefined],
    ["h265", undefined],
    ["h264", "aac"],
    ["h264", "pcma"],
  ] as const) {
    it(`has all pictures once over ten cuts, each part whole: ${codec}, sound ${audio ?? "none"} (AR-12)`, async () => {
      await using folder = await temporaryFolder();
      const film = await makeFilm(folder.path, { ...SMALL_FILM, codec });
      const video = await videoOf(film, codec, SMALL_FILM.framesPerSecond);
      const sound = await heard(folder.path, audio ?? "aac");
      await using camera = await startCamera(systemClock, { video, sound, ...OPEN });
      const parts = join(folder.path, "parts");
      await mkdir(parts);
      const { paths, startsAt, times } = await recorded(parts, camera, codec, audio);
      const seen: string[] = [];
      for (const path of paths) {
        decode(path);
        seen.push(...(await frameHashes(codec, "-i", path)));
      }
      const { frames, ...wrong } = walk(await frameHashes(codec, "-i", film), seen);
      assert.deepEqual(wrong, { unknown: 0, lost: 0, doubled: 0 });
      assert.ok(frames > 480 && frames < 570, `${frames} frames`);
      // A keyframe comes each second, so each part but the first begins within one after its slot does.
      for (const at of startsAt.slice(1))
        assert.ok(at % SEGMENT_MS < 1100, `${at % SEGMENT_MS} ms`);
      assert.equal(times.camera.source, "rtcp");
      assert.ok(Math.abs(times.camera.offsetMs ?? Infinity) < 100, `${times.camera.offsetMs} ms`);
    });
  }

  for (const codec of ["h264", "h265"] as const)
    it(`has a head of its own where the camera changes its picture: ${codec}`, async () => {
      await using folder = await temporaryFolder();
      const video = await filmed(folder.path, { ...SMALL_FILM, codec });
      const smaller = await filmed(folder.path, { ...SMALL_FILM, codec, size: "320x240" });
      await using camera = await startCamera(systemClock, { video, sound: undefined, ...OPEN });
      const segments = await turnedHalfway(
        camera,
        codec,
        () => void (camera.conduct.video = smaller),
        6,
      );
      const sizes = [];
      for (const [index, bytes] of segments.entries()) {
        const path = join(folder.path, `${index}.mp4`);
        await writeFile(path, bytes);
        decode(path);
        const head = bytes.subarray(0, bytes.indexOf("moof") - 4);
        for await (const piece of piecesOf(head))
          if (piece.kind === "init") sizes.push(`${piece.video.width}x${piece.video.height}`);
      }
      // Slots of a minute may begin meanwhile.
      assert.deepEqual([...new Set(sizes)], ["640x360", "320x240"]);
      assert.ok(segments.length <= 3, `${segments.length} segments`);
    });

  it("has times without a fault where pictures are stored in another order and sound comes with them", async () => {
    await using folder = await temporaryFolder();
    const cameras = [{ film: "b-frames", sound: "aac" }] as const;
    await using server = await startGstServer(folder.path, cameras, undefined);
    const [url = ""] = server.urls;
    const camera = { url, login: undefined, basic: false, certificate: undefined, sound: true };
    const joined = async (index: number): Promise<readonly string[]> => {
      // A camera that others watch already sends its reports when it wants.
      await systemClock.sleep(index * 900, NEVER);
      await using gate = await openGate(systemClock, camera, NEVER);
      const parts = join(folder.path, String(index));
      await mkdir(parts);
      return (await recorded(parts, gate, "h264", "aac", 4)).paths;
    };
    const all = await Promise.all(Array.from({ length: 5 }, (_, index) => joined(index)));
    const wrong = [];
    // Of a connection's first second ffmpeg reckons the times itself: docs/time.md.
    for (const path of all.flatMap((paths) => paths.slice(1))) wrong.push(await complaints(path));
    assert.deepEqual(
      wrong,
      Array.from({ length: 15 }, () => ""),
    );
  });
});
