import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { instantOf, isoOf, MINUTE_MS, plus, SECOND_MS } from "#base/time";
import { type CameraSettings, startCamera } from "../../daemon/demo/simulated-camera.ts";
import { filmed, SMALL_FILM } from "../../daemon/demo/simulated-clips.ts";
import { COVERT_CAMERA } from "../fakes/configuration.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { NEVER } from "../fakes/rig.ts";
import { openScriptedCamera } from "./scripted-camera.ts";
import { kept, openWall, seen, stateOf, whileRecording } from "./wall.ts";

const LOGIN = { user: "bewaard", password: "Geheim voor de test" };

describe("a camera and its service", function () {
  this.timeout(180_000);
  let settings: CameraSettings;

  before(async () => {
    await using folder = await temporaryFolder();
    const video = await filmed(folder.path, SMALL_FILM);
    settings = { video, sound: undefined, scheme: "digest", ...LOGIN, tls: undefined };
  });

  it("is not even spoken to while no notice is confirmed, and misses nothing (AR-10)", async () => {
    await using camera = await startCamera(systemClock, settings);
    const more = { notice: undefined };
    await using wall = await openWall([{ number: "cam-0001", url: camera.url, ...LOGIN, more }], 2);
    await whileRecording(wall, async (ask) => {
      const idle = async () => (await stateOf(wall.config, "cam-0001"))?.state === "not in service";
      await seen("idle", idle, 10 * SECOND_MS);
      await systemClock.sleep(3 * SECOND_MS, NEVER);
      assert.equal(await idle(), true);
      assert.deepEqual(await kept(ask, "cam-0001"), { segments: [], gaps: [] });
    });
    assert.equal(camera.connections.made, 0);
    assert.ok(wall.said.includes("camera-idle"));
  });

  it("stops by itself at the end of its covert period, and nothing is missing then (AR-40)", async () => {
    await using camera = await startCamera(systemClock, settings);
    const now = systemClock.now();
    const until = plus(now, 15 * SECOND_MS);
    const covert = {
      ...COVERT_CAMERA.covert,
      from: isoOf(plus(now, -MINUTE_MS)),
      until: isoOf(until),
    };
    const more = { covert, notice: undefined, necessity: undefined };
    await using wall = await openWall([{ number: "cam-0009", url: camera.url, ...LOGIN, more }], 2);
    await whileRecording(wall, async (ask) => {
      const state = async () => (await stateOf(wall.config, "cam-0009"))?.state;
      await seen("recording", async () => (await state()) === "recording", 14 * SECOND_MS);
      await seen("out of period", async () => (await state()) === "out of period", 30 * SECOND_MS);
      assert.ok(systemClock.now() - until < 5 * SECOND_MS);
      await systemClock.sleep(4 * SECOND_MS, NEVER);
      const { segments, gaps } = await kept(ask, "cam-0009");
      assert.deepEqual(gaps, []);
      const end = instantOf(segments.at(-1)?.endedAt ?? "");
      assert.ok(end > until - 2 * SECOND_MS && end < until + 2 * SECOND_MS, isoOf(end));
    });
    assert.equal(camera.connections.open, 0);
  });

  it("is connected to anew when it sends no key picture for three segments, and is told of", async () => {
    await using folder = await temporaryFolder();
    await using camera = await openScriptedCamera(folder.path, { video: settings.video, ...LOGIN });
    await camera.turn("long group");
    await using wall = await openWall([{ number: "cam-0001", url: camera.url, ...LOGIN }], 2);
    await whileRecording(wall, async (ask) => {
      const gap = async () => (await kept(ask, "cam-0001")).gaps.length > 0;
      await seen("a gap", gap, 60 * SECOND_MS);
      const { segments, gaps } = await kept(ask, "cam-0001");
      assert.equal(gaps[0]?.cause, "camera-stream");
      const [{ startedAt, endedAt } = { startedAt: "", endedAt: "" }] = segments;
      const lastedMs = instantOf(endedAt ?? "") - instantOf(startedAt);
      assert.ok(lastedMs > 5 * SECOND_MS && lastedMs <= 6.5 * SECOND_MS, `${lastedMs}`);
    });
    assert.ok(camera.connections.made > 1);
    assert.ok(wall.said.includes("camera-failed"));
  });
});
