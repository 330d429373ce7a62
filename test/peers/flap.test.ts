import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { filmed, SMALL_FILM } from "../../daemon/demo/simulated-clips.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { CAMERA_LOGIN, openScriptedCamera } from "./scripted-camera.ts";
import { openWall, seen, stateOf, whileRecording } from "./wall.ts";

describe("a camera that hangs up again and again", function () {
  this.timeout(300_000);

  it("is said to fail once an hour, and to be recorded again once", async () => {
    await using films = await temporaryFolder();
    const video = await filmed(films.path, SMALL_FILM);
    await using folder = await temporaryFolder();
    await using camera = await openScriptedCamera(folder.path, { video });
    await using wall = await openWall(
      [{ number: "cam-0001", url: camera.url, ...CAMERA_LOGIN }],
      5,
    );
    await whileRecording(wall, async () => {
      const state = async () => (await stateOf(wall.config, "cam-0001"))?.state;
      const recording = async () => (await state()) === "recording";
      await seen("recording", recording);
      for (let nth = 0; nth < 4; nth += 1) {
        camera.disconnect("reset");
        await seen("lost", async () => !(await recording()));
        await seen("recording", recording);
      }
    });
    const told = wall.said.filter((event) => /^camera-(?:recording|failed)$/.test(event));
    assert.deepEqual(told, ["camera-recording", "camera-failed", "camera-recording"]);
  });
});
