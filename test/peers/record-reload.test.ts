import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { together } from "#base/together";
import type { Config } from "../../config/schema.ts";
import { startCamera } from "../../daemon/demo/simulated-camera.ts";
import { makeFilm, SMALL_FILM } from "../../daemon/demo/simulated-clips.ts";
import { videoOf } from "../../daemon/demo/simulated-video.ts";
import { unattended } from "../../daemon/notify/attendant.ts";
import { recorderReload } from "../../daemon/record/reload-recorder.ts";
import { runRecordBy } from "../../daemon/record/run-record.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { frameHashes, walk } from "./frames.ts";
import { kept, opened, openWall, seen, stateOf, withCore } from "./wall.ts";

const LOGIN = { user: "bewaard", password: "Geheim voor de test" };

/** Of this configuration these cameras, with `change` of each. */
function withCameras(config: Config, numbers: readonly string[], change: object = {}): Config {
  const cameras = config.cameras.filter(({ number }) => numbers.includes(number));
  return { ...config, cameras: cameras.map((camera) => ({ ...camera, ...change })) };
}

describe("a recorder that is told of other cameras", function () {
  this.timeout(300_000);

  it("records those that are new, leaves those that are gone, and loses no frame of one that is the same", async () => {
    await using folder = await temporaryFolder();
    const film = await makeFilm(folder.path, SMALL_FILM);
    const video = await videoOf(film, "h264", SMALL_FILM.framesPerSecond);
    const settings = {
      video,
      sound: undefined,
      scheme: "digest" as const,
      ...LOGIN,
      tls: undefined,
    };
    await using same = await startCamera(systemClock, settings);
    await using gone = await startCamera(systemClock, settings);
    await using added = await startCamera(systemClock, settings);
    const cameras = [same, gone, added].map(({ url }, nth) => ({
      number: `cam-000${nth + 1}`,
      url,
      ...LOGIN,
    }));
    await using wall = await openWall(cameras, 2);
    const { config, events, said } = wall;
    const stateIs = async (number: string, state: string | undefined) =>
      (await stateOf(config, number))?.state === state;
    const first = withCameras(config, ["cam-0001", "cam-0002"]);
    const recorder = recorderReload(events, first);
    const paths: string[] = [];
    await withCore(wall, async (ask, signal) => {
      const stop = new AbortController();
      const many = async (number: string) => (await kept(ask, number)).segments.length;
      await together(signal, [
        (s) => {
          const until = AbortSignal.any([s, stop.signal]);
          const { configs } = recorder;
          return runRecordBy(systemClock, events, unattended(systemClock), first, configs, until);
        },
        async () => {
          await seen("the first two", async () => (await many("cam-0002")) >= 1);
          recorder.goBy(withCameras(config, ["cam-0001", "cam-0003"]));
          await seen("the third", async () => (await many("cam-0003")) >= 1);
          assert.ok(await stateIs("cam-0002", undefined), "it is no camera any more");
          await seen("hung up", () => gone.connections.open === 0);
          const third = withCameras(config, ["cam-0003"], { building: "Elders" }).cameras;
          const { cameras: others } = withCameras(config, ["cam-0001", "cam-0002"]);
          recorder.goBy({ ...config, cameras: [...others, ...third] });
          await seen("the third anew", () => added.connections.made === 2);
          await seen("the second again", () => stateIs("cam-0002", "recording"));
          const enough = (await many("cam-0001")) + 2;
          await seen("the first all along", async () => (await many("cam-0001")) >= enough);
          stop.abort();
        },
      ]);
      const { segments, gaps } = await kept(ask, "cam-0001");
      assert.deepEqual([gaps, (await kept(ask, "cam-0002")).gaps], [[], []]);
      for (const one of segments) paths.push(await opened(wall, one));
    });
    assert.equal(same.connections.made, 1);
    const frames: string[] = [];
    for (const path of paths) frames.push(...(await frameHashes("h264", "-i", path)));
    const { frames: _, ...wrong } = walk(await frameHashes("h264", "-i", film), frames);
    assert.deepEqual(wrong, { unknown: 0, lost: 0, doubled: 0 });
    assert.ok(!said.includes("reload-waits"));
  });
});
