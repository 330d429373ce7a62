import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { instantOf, SECOND_MS } from "#base/time";
import { temporaryFolder } from "../fakes/folder.ts";
import { NEVER } from "../fakes/rig.ts";
import { complaints } from "./probe.ts";
import { CAMERA_LOGIN, openScriptedCamera } from "./scripted-camera.ts";
import { kept, opened, openWall, seen, stateOf, whileRecording } from "./wall.ts";

const NUMBER = "cam-0001";
const SECONDS = 5;
/** A gap may begin and end up to a fragment, and what ffmpeg holds, from where it should. */
const OFF_MS = 1500;

describe("a camera that makes no key picture for longer than three segments", function () {
  this.timeout(300_000);

  it("has one segment of all that came, then an alarm and a gap, and is recorded again", async () => {
    await using folder = await temporaryFolder();
    await using camera = await openScriptedCamera(folder.path, { sound: undefined });
    await using wall = await openWall(
      [{ number: NUMBER, url: camera.url, ...CAMERA_LOGIN }],
      SECONDS,
    );
    const failed = (): readonly string[] =>
      wall.lines.filter((line) => line.includes('"camera-failed"') && line.includes(NUMBER));
    await whileRecording(wall, async (ask) => {
      const is = async (state: string): Promise<boolean> =>
        (await stateOf(wall.config, NUMBER))?.state === state;
      await seen("recording", () => is("recording"));
      await systemClock.sleep(SECONDS * SECOND_MS, NEVER);
      await camera.turn("long group");
      await seen("alarm", () => failed().length > 0);
      camera.heal();
      await seen("again", () => is("recording"));
      await systemClock.sleep(SECONDS * SECOND_MS, NEVER);
      const { segments, gaps } = await kept(ask, NUMBER);
      assert.deepEqual(
        gaps.map(({ cause }) => cause),
        ["camera-stream"],
      );
      const startedAt = instantOf(gaps[0]?.startedAt ?? "");
      const lasts = segments.map((one) => instantOf(one.endedAt ?? "") - instantOf(one.startedAt));
      const longest = Math.max(...lasts);
      assert.ok(Math.abs(longest - 3 * SECONDS * SECOND_MS) < OFF_MS, `${longest} ms`);
      const long = segments[lasts.indexOf(longest)];
      assert.ok(Math.abs(instantOf(long?.endedAt ?? "") - startedAt) < OFF_MS);
      for (const segment of segments)
        assert.equal(await complaints(await opened(wall, segment)), "");
    });
    assert.match(failed().join("\n"), /CAMERA_STREAM.*no key picture/);
  });
});
