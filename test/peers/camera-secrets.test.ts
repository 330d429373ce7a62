import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { SECOND_MS } from "#base/time";
import { type CameraSettings, startCamera } from "../../daemon/demo/simulated-camera.ts";
import { filmed, SMALL_FILM } from "../../daemon/demo/simulated-clips.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { NEVER } from "../fakes/rig.ts";
import { childrenOf, kept, openWall, seen, startRecorder, stateOf, withCore } from "./wall.ts";

/** As text, and in each form in which it could be written elsewhere. */
const PASSWORD = "Geheim/wachtwoord:42@camera";
const FORMS = [
  PASSWORD,
  encodeURIComponent(PASSWORD),
  Buffer.from(PASSWORD).toString("base64").slice(0, -4),
  Buffer.from(`bewaard:${PASSWORD}`).toString("base64").slice(0, -4),
  Buffer.from(PASSWORD).toString("hex"),
];
const LOGIN = { user: "bewaard", password: PASSWORD };

function assertWithout(what: string, content: Buffer): void {
  for (const form of FORMS) assert.ok(!content.includes(form), `${what} has the password`);
}

/** Command line and environment of a process. */
async function assertProcess(name: string, pid: number): Promise<void> {
  for (const file of ["cmdline", "environ"])
    assertWithout(`${file} of ${name}`, await readFile(`/proc/${pid}/${file}`));
}

describe("the password of a camera (invariant 7)", function () {
  this.timeout(300_000);
  let settings: CameraSettings;

  before(async () => {
    await using folder = await temporaryFolder();
    const video = await filmed(folder.path, SMALL_FILM);
    settings = { video, sound: undefined, scheme: "digest", ...LOGIN, tls: undefined };
  });

  it("is in no command line, environment, log, catalog, manifest or file but its own, whether it is right or wrong", async () => {
    await using good = await startCamera(systemClock, settings);
    await using basic = await startCamera(systemClock, { ...settings, scheme: "basic" });
    await using changed = await startCamera(systemClock, { ...settings, password: "another" });
    await using wall = await openWall(
      [
        { number: "cam-0001", url: good.url, ...LOGIN },
        { number: "cam-0002", url: basic.url, ...LOGIN, more: { basic: true } },
        { number: "cam-0003", url: changed.url, ...LOGIN },
        { number: "cam-0004", url: basic.url.replace("stream1", "stream2"), ...LOGIN },
      ],
      2,
    );
    let said = "";
    let pids: readonly (readonly [string, number])[] = [];
    await withCore(wall, async (ask) => {
      await using recorder = startRecorder(wall);
      const enough = async (device: string) => (await kept(ask, device)).segments.length > 1;
      await seen("segments", () => enough("cam-0001"));
      await seen("segments with Basic", () => enough("cam-0002"));
      for (const number of ["cam-0003", "cam-0004"]) {
        const refused = async () => (await stateOf(wall.config, number))?.code === "CAMERA_LOGIN";
        await seen(`${number} refused`, refused);
      }
      await assertProcess("the recorder", recorder.pid);
      pids = await childrenOf(recorder.pid);
      for (const [name, pid] of pids) await assertProcess(name, pid);
      good.disconnect("reset");
      await systemClock.sleep(3 * SECOND_MS, NEVER);
      recorder.kill("SIGTERM");
      assert.equal(await recorder.ended, "0", recorder.said());
      said = recorder.said();
    });
    assert.equal(pids.filter(([name]) => name === "ffmpeg").length, 2);
    assert.match(said, /CAMERA_LOGIN/);
    assertWithout("the log of the recorder", Buffer.from(said));
    assertWithout("the log of core", Buffer.from(wall.lines.join("")));
    let files = 0;
    for (const entry of await readdir(wall.folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.name.endsWith(".password")) continue;
      files += 1;
      assertWithout(entry.name, await readFile(join(entry.parentPath, entry.name)));
    }
    assert.ok(files > 15, `${files} files`);
  });

  it("is tried as soon as its file is mended, and not before", async () => {
    await using camera = await startCamera(systemClock, settings);
    const login = { ...LOGIN, password: "fout" };
    await using wall = await openWall([{ number: "cam-0001", url: camera.url, ...login }], 2);
    const state = () => stateOf(wall.config, "cam-0001");
    await withCore(wall, async () => {
      await using recorder = startRecorder(wall);
      const refused = async () => (await state())?.code === "CAMERA_LOGIN";
      await seen("it is refused", refused);
      await systemClock.sleep(8 * SECOND_MS, NEVER);
      assert.equal((await state())?.state, "backing off");
      await writeFile(join(wall.config.state, "cam-0001.password"), PASSWORD);
      const recorded = async () => (await state())?.state === "recording";
      await seen("it is recorded", recorded);
      recorder.kill("SIGTERM");
      assert.equal(await recorder.ended, "0", recorder.said());
    });
  });

  it("that is missing or exposed stops its own camera, and no other", async () => {
    await using camera = await startCamera(systemClock, settings);
    await using wall = await openWall(
      [
        { number: "cam-0001", url: camera.url, ...LOGIN },
        { number: "cam-0002", url: camera.url.replace("stream1", "stream2"), user: "bewaard" },
      ],
      2,
    );
    await withCore(wall, async (ask) => {
      await using recorder = startRecorder(wall);
      const recorded = async () => (await kept(ask, "cam-0001")).segments.length > 1;
      await seen("the other", recorded);
      const state = await stateOf(wall.config, "cam-0002");
      assert.ok(state?.code === "SECRET_MISSING" || state?.state === "connecting");
      recorder.kill("SIGTERM");
      assert.equal(await recorder.ended, "0", recorder.said());
      const missing = recorder
        .said()
        .match(/"camera-failed".*SECRET_MISSING|SECRET_MISSING.*"camera-failed"/g);
      assert.equal(missing?.length, 1, recorder.said());
      const gap = async () => (await kept(ask, "cam-0002")).gaps[0]?.cause === "camera-login";
      await seen("its gap", gap);
    });
  });
});
