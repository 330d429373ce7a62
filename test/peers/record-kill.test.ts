import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, describe, it } from "mocha";
import { systemCode } from "#base/errors";
import { systemClock } from "#base/system-clock";
import { type Instant, instantOf, SECOND_MS } from "#base/time";
import type { Ask } from "../../daemon/control/client.ts";
import { type CameraSettings, startCamera } from "../../daemon/demo/simulated-camera.ts";
import { filmed, SMALL_FILM } from "../../daemon/demo/simulated-clips.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { NEVER } from "../fakes/rig.ts";
import { complaints, probe } from "./probe.ts";
import {
  childrenOf,
  kept,
  opened,
  openWall,
  type Process,
  seen,
  startRecorder,
  stateOf,
  type Wall,
  withCore,
} from "./wall.ts";

const LOGIN = { user: "bewaard", password: "Geheim voor de test" };
const CAMERA = "cam-0001";
/** Of what had arrived, at 4 Mbit/s: a fragment of half a second and a chunk of 64 KiB. */
const LOST_MS = SECOND_MS;
/** And what it takes to arrive: it comes half a second at a time. */
const ARRIVES_MS = 700;

async function recording(wall: Wall): Promise<void> {
  const is = async () => (await stateOf(wall.config, CAMERA))?.state === "recording";
  await seen("recording", is);
}

function endOf({ startedAt }: { startedAt: string }, seconds: number): number {
  return instantOf(startedAt) + seconds * SECOND_MS;
}

/** Whether a process is there, and not only waits to be taken note of. */
async function runs(pid: number): Promise<boolean> {
  try {
    return !/^State:\s+Z/m.test(await readFile(`/proc/${pid}/status`, "utf8"));
  } catch (error) {
    if (systemCode(error) !== "ENOENT" && systemCode(error) !== "ESRCH") throw error;
    return false;
  }
}

describe("killed while a camera of 4 Mbit/s is recorded (invariants 8, 9)", function () {
  this.timeout(300_000);
  let settings: CameraSettings;

  before(async () => {
    await using folder = await temporaryFolder();
    const film = { ...SMALL_FILM, size: "1280x720", rate: 4_000_000 };
    const video = await filmed(folder.path, film);
    settings = { video, sound: undefined, scheme: "digest", ...LOGIN, tls: undefined };
  });

  /** Plays `body` beside a recorder of 10 s segments and its core. */
  async function play(body: (wall: Wall, ask: Ask) => Promise<void>): Promise<void> {
    await using camera = await startCamera(systemClock, settings);
    await using wall = await openWall([{ number: CAMERA, url: camera.url, ...LOGIN }], 10);
    await withCore(wall, (ask) => body(wall, ask));
  }

  /** Stops the recorder as systemd does: it hands over what it has. */
  async function stop(recorder: Process): Promise<void> {
    recorder.kill("SIGTERM");
    assert.equal(await recorder.ended, "0", recorder.said());
  }

  it("ffmpeg: what it had given is kept whole, the rest is a gap of seconds", async () => {
    await play(async (wall, ask) => {
      await using recorder = startRecorder(wall);
      await recording(wall);
      await systemClock.sleep(4 * SECOND_MS, NEVER);
      const [ffmpeg] = await childrenOf(recorder.pid);
      assert.deepEqual(ffmpeg?.[0], "ffmpeg");
      process.kill(ffmpeg[1], "SIGKILL");
      const killedAt = systemClock.now();
      await seen("a gap", async () => (await kept(ask, CAMERA)).gaps.length > 0);
      await recording(wall);
      await stop(recorder);
      await seen("two segments", async () => (await kept(ask, CAMERA)).segments.length > 1);
      const { segments, gaps } = await kept(ask, CAMERA);
      const [gap] = gaps;
      assert.equal(gap?.cause, "camera-stream");
      assert.ok(instantOf(gap.startedAt) >= killedAt - LOST_MS - ARRIVES_MS, gap.startedAt);
      assert.ok(instantOf(gap.endedAt) <= killedAt + 10 * SECOND_MS, gap.endedAt);
      assert.ok(segments.every(({ truncated }) => !truncated));
      for (const segment of segments)
        assert.equal(await complaints(await opened(wall, segment)), "");
    });
  });

  it("the recorder: at most a second of what had arrived is lost, and the outage is a gap", async () => {
    await play(async (wall, ask) => {
      await using recorder = startRecorder(wall);
      await recording(wall);
      await systemClock.sleep(6 * SECOND_MS, NEVER);
      const children = await childrenOf(recorder.pid);
      recorder.kill("SIGKILL");
      const killedAt: Instant = systemClock.now();
      assert.equal(await recorder.ended, "SIGKILL");
      await using again = startRecorder(wall);
      await recording(wall);
      // It ends by itself, with the gate that it read from.
      for (const [name, pid] of children)
        await seen(`the end of ${name}`, async () => !(await runs(pid)));
      await stop(again);
      const last = async () => (await kept(ask, CAMERA)).segments.at(-1);
      await seen("the last segment", async () => {
        const segment = await last();
        return segment !== undefined && instantOf(segment.startedAt) > killedAt;
      });
      const { segments, gaps } = await kept(ask, CAMERA);
      assert.deepEqual(
        gaps.map(({ cause }) => cause),
        ["crashed"],
      );
      const [cutOff] = segments.filter(({ truncated }) => truncated);
      assert.ok(cutOff);
      const path = await opened(wall, cutOff);
      const end = endOf(cutOff, (await probe(path)).format.duration);
      assert.ok(end >= killedAt - LOST_MS - ARRIVES_MS, `${killedAt - end} ms lost`);
      // How far it was is noted each second, of fragments that are followed by another.
      assert.ok(Math.abs(instantOf(gaps[0]?.startedAt ?? "") - end) <= 2500);
      const back = segments.find(({ startedAt }) => instantOf(startedAt) > killedAt);
      assert.ok(
        Math.abs(instantOf(gaps[0]?.endedAt ?? "") - instantOf(back?.startedAt ?? "")) <= 200,
      );
    });
  });

  it("not at all, but stopped and started: each segment is whole, the gap says so", async () => {
    await play(async (wall, ask) => {
      await using recorder = startRecorder(wall);
      await recording(wall);
      await stop(recorder);
      const stoppedAt = systemClock.now();
      await using again = startRecorder(wall);
      await recording(wall);
      await stop(again);
      await seen("a gap", async () => (await kept(ask, CAMERA)).gaps.length > 0);
      const { segments, gaps } = await kept(ask, CAMERA);
      assert.deepEqual(
        gaps.map(({ cause }) => cause),
        ["stopped"],
      );
      assert.ok(stoppedAt - instantOf(gaps[0]?.startedAt ?? "") <= 3 * SECOND_MS);
      assert.ok(segments.every(({ truncated }) => !truncated));
    });
  });
});
