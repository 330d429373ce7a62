import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { instantOf } from "#base/time";
import { type CameraSettings, startCamera } from "../../daemon/demo/simulated-camera.ts";
import { heard, makeFilm, SMALL_FILM } from "../../daemon/demo/simulated-clips.ts";
import { videoOf } from "../../daemon/demo/simulated-video.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { frameHashes, walk } from "./frames.ts";
import { complaints, probe } from "./probe.ts";
import { kept, opened, openWall, seen, stateOf, whileRecording } from "./wall.ts";

const LOGIN = { user: "bewaard", password: "Geheim voor de test" };
/** What start and length may be off by. */
const OFF_MS = 40;

type Found = Awaited<ReturnType<typeof kept>>["segments"];

/** The segments of one stream, of which the last is short. */
const WANTED = 5;

describe("a camera on the wall", function () {
  this.timeout(300_000);
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let film: string;
  let settings: CameraSettings;

  before(async () => {
    folder = await temporaryFolder();
    film = await makeFilm(folder.path, SMALL_FILM);
    const video = await videoOf(film, "h264", SMALL_FILM.framesPerSecond);
    const sound = await heard(folder.path, "aac");
    settings = { video, sound, scheme: "digest", ...LOGIN, tls: undefined };
  });
  after(() => folder[Symbol.asyncDispose]());

  async function record(more: object, look: (all: Found, paths: string[]) => Promise<void>) {
    await using camera = await startCamera(systemClock, settings);
    const configured = { number: "cam-0001", url: camera.url, ...LOGIN, more };
    await using wall = await openWall([configured], 2);
    let found: Found = [];
    await whileRecording(wall, async (ask) => {
      await seen("segments", async () => (await kept(ask, "cam-0001")).segments.length >= WANTED);
      assert.equal((await stateOf(wall.config, "cam-0001"))?.state, "recording");
      const { segments, gaps } = await kept(ask, "cam-0001");
      assert.deepEqual(gaps, []);
      found = segments;
    });
    const paths = [];
    for (const one of found) paths.push(await opened(wall, one));
    await look(found, paths);
    return { camera, wall };
  }

  it("is kept as segments that each decode alone, with pictures only and none lost or doubled (AR-14)", async () => {
    const { camera } = await record({}, async (_, paths) => {
      const frames: string[] = [];
      for (const path of paths) {
        const { streams } = await probe(path);
        assert.deepEqual(
          streams.map(({ codec_name }) => codec_name),
          ["h264"],
        );
        assert.equal(await complaints(path), "");
        frames.push(...(await frameHashes("h264", "-i", path)));
      }
      const { frames: count, ...wrong } = walk(await frameHashes("h264", "-i", film), frames);
      assert.deepEqual(wrong, { unknown: 0, lost: 0, doubled: 0 });
      assert.ok(count > (WANTED - 1) * 2 * SMALL_FILM.framesPerSecond - 25, `${count}`);
    });
    assert.deepEqual(camera.setups, ["video"]);
  });

  it("is kept with its sound where the room is on the list, asked for and confirmed (AR-14, AR-15)", async () => {
    const spoken = {
      room: "spreekkamer",
      sound: true,
      sound_notice: { confirmed_on: "2026-05-02", by: "clustermanager-vastgoed" },
    };
    const { camera } = await record(spoken, async (_, paths) => {
      for (const path of paths) {
        const { streams } = await probe(path);
        assert.deepEqual(
          streams.map(({ codec_name }) => codec_name),
          ["h264", "aac"],
        );
        assert.equal(await complaints(path), "");
      }
    });
    assert.deepEqual(camera.setups, ["video", "audio"]);
  });

  it("has starts and lengths that are right to 40 ms, and each begins where another ends (AR-13)", async () => {
    await record({}, async (found, paths) => {
      for (const [index, { startedAt, endedAt }] of found.entries()) {
        const lastsMs = instantOf(endedAt ?? "") - instantOf(startedAt);
        const { format } = await probe(paths[index] ?? "");
        assert.ok(
          Math.abs(lastsMs - format.duration * 1000) <= OFF_MS,
          `${lastsMs} ${format.duration}`,
        );
        assert.equal(format.start_time, 0);
        const following = found[index + 1];
        const apartMs = following ? instantOf(following.startedAt) - instantOf(endedAt ?? "") : 0;
        assert.ok(Math.abs(apartMs) <= OFF_MS, `${apartMs} ms between two segments`);
        if (index > 0) assert.ok(instantOf(startedAt) % 2000 < 1000 + OFF_MS, startedAt);
      }
    });
  });
});
