import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { systemClock } from "#base/system-clock";
import { startCamera } from "../../daemon/demo/simulated-camera.ts";
import { filmed, heard, SMALL_FILM } from "../../daemon/demo/simulated-clips.ts";
import { type Trial, tryStream } from "../../daemon/record/trial.ts";
import { GOOD_BOX, GOOD_CAMERA, SOUND_CAMERA, writtenIn } from "../fakes/configuration.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { openOnvifDevice } from "../fakes/onvif-device.ts";
import { NEVER } from "../fakes/rig.ts";
import { rtpClip } from "../fakes/rtp-clip.ts";
import { openPeer, camera as rtspCamera, sdp } from "../fakes/rtsp-peer.ts";

const LOGIN = { user: "bewaard", password: "geheim" };
const CLI = new URL("../../daemon/cli/bewaarctl.ts", import.meta.url).pathname;

async function camera(folder: string, codec: "h264" | "h265", film = SMALL_FILM) {
  const video = await filmed(folder, { ...film, codec });
  const sound = await heard(folder, "aac");
  return startCamera(systemClock, { video, sound, scheme: "digest", ...LOGIN, tls: undefined });
}

function trying(url: string, sound = false, login = LOGIN): Promise<Trial> {
  const address = { url, login, basic: false, certificate: undefined, sound };
  return tryStream(systemClock, address, NEVER);
}

/** Plays a clip of a second again and again, with numbers and times that go on, and without a report. */
async function play(pictures: readonly Buffer[], socket: Socket): Promise<void> {
  let sequence = 0;
  const began = systemClock.uptimeMs();
  for (let count = 0; !socket.destroyed; count += 1) {
    const frames = Buffer.from(pictures[count % pictures.length] ?? []);
    for (let at = 0; at < frames.length; at += 4 + frames.readUInt16BE(at + 2)) {
      frames.writeUInt16BE(sequence++ & 0xffff, at + 6);
      frames.writeUInt32BE(count * 3600, at + 8);
    }
    socket.write(frames);
    await systemClock.sleep(Math.max(0, began + count * 40 - systemClock.uptimeMs()), NEVER);
  }
}

describe("ten seconds of a camera", function () {
  this.timeout(120_000);

  for (const codec of ["h264", "h265"] as const) {
    it(`say what its stream is, and ask for no sound where none may be: ${codec}`, async () => {
      await using folder = await temporaryFolder();
      await using one = await camera(folder.path, codec);
      const trial = await trying(one.url);
      assert.deepEqual(
        [trial.video, trial.width, trial.height, trial.gopMs],
        [codec, 640, 360, 1000],
      );
      assert.ok(trial.bitsPerSecond > 50_000 && trial.bitsPerSecond < 20_000_000);
      assert.equal(trial.clock.source, "rtcp");
      assert.ok(Math.abs(trial.clock.offsetMs ?? Number.NaN) < 500, `${trial.clock.offsetMs}`);
      assert.deepEqual([trial.soundOffered, trial.soundTaken], [true, null]);
      assert.deepEqual(one.setups, ["video"]);
    });
  }

  it("say nothing of the clock of a camera that never reports it, however short its fragments (AR-13)", async () => {
    // Each a key picture: a fragment of 40 ms, and the moment at which ffmpeg writes is later than all of it.
    const clip = rtpClip(25, "320x240", ["-g", "1"]);
    const answer = rtspCamera(sdp(clip.medium));
    await using peer = await openPeer((asked, socket) => {
      if (asked.method === "PLAY") void play(clip.pictures, socket);
      return answer(asked, socket);
    });
    const { clock } = await trying(peer.url);
    assert.deepEqual(clock, { offsetMs: null, source: "arrival" });
  });

  it("say which sound is taken where it may be, and when there is no second keyframe", async () => {
    await using folder = await temporaryFolder();
    const film = { ...SMALL_FILM, seconds: 20, gop: 500 };
    await using one = await camera(folder.path, "h264", film);
    const trial = await trying(one.url, true);
    assert.deepEqual([trial.soundTaken, trial.gopMs], ["aac", null]);
  });

  it("end with the right reason for a wrong password, and for a camera that goes away", async () => {
    await using folder = await temporaryFolder();
    await using one = await camera(folder.path, "h264");
    await assert.rejects(trying(one.url, false, { ...LOGIN, password: "fout" }), {
      code: "CAMERA_LOGIN",
    });
    const going = trying(one.url).catch((error: unknown) => error);
    while (one.setups.length === 0) await systemClock.sleep(100, NEVER);
    await systemClock.sleep(3000, NEVER);
    await one.unplug();
    const error = await going;
    assert.ok(error instanceof BewaardError, String(error));
    assert.equal(error.code, "CAMERA_LOST");
  });
});

describe("bewaarctl cameras test, on a camera that is there", function () {
  this.timeout(120_000);

  it("says that it would be stored, with what is taken, and leaves nothing behind", async () => {
    await using folder = await temporaryFolder();
    await using films = await temporaryFolder();
    await using one = await camera(films.path, "h264");
    await using device = await openOnvifDevice({ stream: one.url });
    const entry = { ...GOOD_CAMERA, url: one.url, onvif: device.url };
    const silent = { ...SOUND_CAMERA, url: `${one.url}2` };
    const path = await writtenIn(folder.path, {
      ...GOOD_BOX,
      informed_on: "2026-05-01",
      state: folder.path,
      cameras: [entry, silent],
    });
    const password = join(folder.path, "cam-0001.password");
    await writeFile(password, LOGIN.password, { mode: 0o600 });
    const before = await readdir(folder.path);
    const args = [CLI, "-c", path, "cameras", "test", "cam-0001"];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    assert.match(
      stdout,
      /^beeld \/ stream: h264 \(avc1\.\w+\) 640x360, GOP 1 s, \d+\.\d\d Mbit\/s/m,
    );
    assert.match(stdout, /geluid \/ sound: aangeboden, wordt niet opgenomen/);
    assert.match(stdout, /\(SEI\): .*user data \(unregistered\)/);
    assert.match(stdout, /^WORDT BEWAARD \/ WOULD BE STORED$/m);
    assert.ok(!stdout.includes(LOGIN.password));
    assert.deepEqual(await readdir(folder.path), before);
  });

  it("asks for no sound in a room that is not on the list, and says why it is not stored (AR-14)", async () => {
    await using folder = await temporaryFolder();
    await using one = await camera(folder.path, "h264");
    const path = await writtenIn(folder.path, {
      ...GOOD_BOX,
      informed_on: "2026-05-01",
      state: folder.path,
      cameras: [{ ...SOUND_CAMERA, url: one.url, room: "balie" }],
    });
    await writeFile(join(folder.path, "cam-0002.password"), LOGIN.password, { mode: 0o600 });
    const args = [CLI, "-c", path, "cameras", "test", "cam-0002"];
    await assert.rejects(promisify(execFile)(process.execPath, args), {
      code: 1,
      stdout: /wordt niet opgenomen[^]*WORDT NIET BEWAARD[^]*cameras\.0\.sound.*AR-14/,
    });
    assert.deepEqual(one.setups, ["video"]);
  });
});
