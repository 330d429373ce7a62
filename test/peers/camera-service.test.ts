import assert from "node:assert/strict";
import { connect } from "node:net";
import { before, describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { type Instant, instantOf, isoOf, MINUTE_MS, plus, SECOND_MS } from "#base/time";
import { together } from "#base/together";
import { type CameraSettings, startCamera } from "../../daemon/demo/simulated-camera.ts";
import { filmed, SMALL_FILM } from "../../daemon/demo/simulated-clips.ts";
import { unattended } from "../../daemon/notify/attendant.ts";
import { livePath } from "../../daemon/places.ts";
import { runRecord } from "../../daemon/record/run-record.ts";
import { COVERT_CAMERA } from "../fakes/configuration.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { NEVER } from "../fakes/rig.ts";
import { openScriptedCamera } from "./scripted-camera.ts";
import { kept, openWall, seen, stateOf, whileRecording } from "./wall.ts";

const LOGIN = { user: "bewaard", password: "Geheim voor de test" };

function covertUntil(until: Instant): object {
  const from = isoOf(plus(until, -2 * MINUTE_MS));
  const covert = { ...COVERT_CAMERA.covert, from, until: isoOf(until) };
  return { covert, notice: undefined, necessity: undefined };
}

describe("a camera and its service", function () {
  this.timeout(300_000);
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
      await seen("idle", idle);
      await systemClock.sleep(3 * SECOND_MS, NEVER);
      assert.equal(await idle(), true);
      assert.deepEqual(await kept(ask, "cam-0001"), { segments: [], gaps: [] });
    });
    assert.equal(camera.connections.made, 0);
    assert.ok(wall.said.includes("camera-idle"));
  });

  it("stops by itself at the end of its covert period, and nothing is missing then (AR-40)", async () => {
    await using camera = await startCamera(systemClock, settings);
    const until = plus(systemClock.now(), 30 * SECOND_MS);
    const cameras = [{ number: "cam-0009", url: camera.url, ...LOGIN, more: covertUntil(until) }];
    await using wall = await openWall(cameras, 2);
    await whileRecording(wall, async (ask) => {
      const state = async () => (await stateOf(wall.config, "cam-0009"))?.state;
      await seen("recording", async () => (await state()) === "recording");
      const shown = connect(livePath(wall.config));
      shown.write('{"device":"cam-0009"}\n');
      await seen("out of period", async () => (await state()) === "out of period");
      assert.ok(systemClock.now() - until < 20 * SECOND_MS);
      await systemClock.sleep(4 * SECOND_MS, NEVER);
      const { segments, gaps } = await kept(ask, "cam-0009");
      assert.deepEqual(gaps, []);
      const end = instantOf(segments.at(-1)?.endedAt ?? "");
      assert.ok(end > until - 2 * SECOND_MS && end <= until, isoOf(end));
      assert.equal(shown.bytesRead, 0);
      shown.destroy();
    });
    assert.equal(camera.connections.open, 0);
  });

  it("does not begin its covert period again where the clock is set back (AR-40)", async () => {
    await using camera = await startCamera(systemClock, settings);
    let setByMs = 0;
    const clock = { ...systemClock, now: () => plus(systemClock.now(), setByMs) };
    const until = plus(clock.now(), 3 * SECOND_MS);
    const cameras = [{ number: "cam-0009", url: camera.url, ...LOGIN, more: covertUntil(until) }];
    await using wall = await openWall(cameras, 2);
    const state = async () => (await stateOf(wall.config, "cam-0009"))?.state;
    const stop = new AbortController();
    await together(NEVER, [
      (s) =>
        runRecord(
          clock,
          wall.events,
          unattended(clock),
          wall.config,
          AbortSignal.any([s, stop.signal]),
        ),
      async () => {
        await seen("over", async () => (await state()) === "out of period");
        const { made } = camera.connections;
        setByMs = -30 * SECOND_MS;
        await systemClock.sleep(3 * SECOND_MS, NEVER);
        assert.equal(await state(), "out of period");
        assert.equal(camera.connections.made, made);
        stop.abort();
      },
    ]);
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
