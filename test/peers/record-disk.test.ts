import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rm } from "node:fs/promises";
import { before, describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { instantOf, SECOND_MS } from "#base/time";
import { type CameraSettings, startCamera } from "../../daemon/demo/simulated-camera.ts";
import { filmed, SMALL_FILM } from "../../daemon/demo/simulated-clips.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { NEVER } from "../fakes/rig.ts";
import { fill } from "../fakes/small-disk.ts";
import { complaints } from "./probe.ts";
import { kept, opened, openWall, seen, stateOf, whileRecording } from "./wall.ts";

const LOGIN = { user: "bewaard", password: "Geheim voor de test" };
const CAMERA = "cam-0001";
const BACK_WITHIN_MS = 35 * SECOND_MS;

/** Lays a disk of its own under `folder`, with what is in it. Root only. */
function mountSmall(folder: string): void {
  const away = `${folder}-content`;
  execFileSync("cp", ["-a", folder, away]);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", folder]);
  execFileSync("sh", ["-c", 'cp -a "$1"/. "$2"', "sh", away, folder]);
}

describe("a spool without room while a camera is recorded (invariant 9)", function () {
  this.timeout(300_000);
  let settings: CameraSettings;

  before(async () => {
    await using folder = await temporaryFolder();
    const video = await filmed(folder.path, { ...SMALL_FILM, rate: 4_000_000 });
    settings = { video, sound: undefined, scheme: "digest", ...LOGIN, tls: undefined };
  });

  it("is a gap, spool-full, until there is room again; the camera is never kept waiting", async () => {
    await using camera = await startCamera(systemClock, settings);
    // The ring may hold more than the disk: nothing makes room but the test.
    const spool = { limit: "20 GB", keep_free: "0 MB" };
    await using wall = await openWall([{ number: CAMERA, url: camera.url, ...LOGIN }], 2, spool);
    const disk = wall.config.spool.path;
    mountSmall(disk);
    try {
      await whileRecording(wall, async (ask) => {
        const enough = async () => (await kept(ask, CAMERA)).segments.length > 1;
        await seen("segments", enough);
        const ballast = await fill(disk);
        const fullAt = systemClock.now();
        const state = async () => await stateOf(wall.config, CAMERA);
        await seen("no room", async () => (await state())?.code === "SPOOL_FULL");
        await systemClock.sleep(8 * SECOND_MS, NEVER);
        await rm(ballast);
        const roomAt = systemClock.now();
        const back = async () => (await state())?.state === "recording";
        await seen("recording again", back, BACK_WITHIN_MS);
        await systemClock.sleep(5 * SECOND_MS, NEVER);
        const { segments, gaps } = await kept(ask, CAMERA);
        assert.ok(gaps.length > 0);
        assert.ok(
          gaps.every(({ cause }) => cause === "spool-full"),
          JSON.stringify(gaps),
        );
        assert.ok(instantOf(gaps[0]?.startedAt ?? "") >= fullAt - 3 * SECOND_MS);
        const end = instantOf(gaps.at(-1)?.endedAt ?? "");
        assert.ok(end > roomAt - 6 * SECOND_MS && end < roomAt + BACK_WITHIN_MS);
        // One connection all along: what is dropped is dropped here.
        assert.equal(camera.connections.made, 1);
        for (const segment of segments)
          if (!segment.truncated) assert.equal(await complaints(await opened(wall, segment)), "");
        assert.ok(wall.said.includes("camera-dropped"));
      });
    } finally {
      execFileSync("umount", ["-l", disk]);
    }
  });
});
