import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { startCamera } from "../../daemon/demo/simulated-camera.ts";
import { heard, makeFilm, SMALL_FILM } from "../../daemon/demo/simulated-clips.ts";
import { videoOf } from "../../daemon/demo/simulated-video.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { frameHashes, walk } from "./frames.ts";
import { startGstServer } from "./gst-server.ts";

const LOGIN = { user: "user", password: "p@ss: word" };

/** With the login in it, as ffmpeg wants it. Only here: the login of a test is no secret. */
function withLogin(url: string): string {
  const { user, password } = LOGIN;
  return url.replace("//", `//${encodeURIComponent(user)}:${encodeURIComponent(password)}@`);
}

function playing(url: string, ...more: readonly string[]): readonly string[] {
  return ["-rtsp_transport", "tcp", ...more, "-i", url, "-t", "5"];
}

/** Takes three seconds of sound as it comes; says what it is and how long. */
async function soundOf(url: string): Promise<{ codec: string; seconds: number }> {
  const input = ["-v", "error", "-rtsp_transport", "tcp", "-i", url, "-t", "3"];
  const args = ["-nostdin", ...input, "-map", "0:a:0", "-c", "copy", "-f", "framecrc", "-"];
  const { stdout } = await promisify(execFile)("ffmpeg", args);
  const header = (name: string): string =>
    new RegExp(`^#${name} 0: (.*)$`, "m").exec(stdout)?.[1] ?? "";
  const rows = stdout.split("\n").filter((line) => /^\d/.test(line));
  const [, , last, duration] = (rows.at(-1) ?? "").split(",").map(Number);
  const [numerator = 0, denominator = 1] = header("tb").split("/").map(Number);
  const seconds = (((last ?? 0) + (duration ?? 0)) * numerator) / denominator;
  return { codec: header("codec_id"), seconds };
}

async function simulated(folder: string, codec: "h264" | "h265", sound: "aac" | "pcma" | "pcmu") {
  const path = await makeFilm(folder, { ...SMALL_FILM, codec });
  const video = await videoOf(path, codec, SMALL_FILM.framesPerSecond);
  const settings = { video, sound: await heard(folder, sound), ...LOGIN, tls: undefined };
  return { path, settings };
}

/** Plays for five seconds and holds what came against the film. */
async function assertPlays(codec: "h264" | "h265", url: string, film: string, from?: number) {
  const input = playing(url, "-allowed_media_types", "video");
  const seen = await frameHashes(codec, ...input);
  const source = await frameHashes(codec, "-i", film);
  const { frames, ...wrong } = walk(source, seen);
  assert.deepEqual(wrong, { unknown: 0, lost: 0, doubled: 0 });
  assert.ok(frames > 110 && frames < 135, `${frames} frames in five seconds`);
  if (from !== undefined) assert.equal(seen[0], source[from]);
}

describe("a simulated camera", () => {
  for (const [codec, sound, scheme] of [
    ["h264", "aac", "digest"],
    ["h265", "pcma", "basic"],
    ["h264", "pcmu", "none"],
  ] as const) {
    it(`sends the pictures of its film in order, over and over: ${codec}, login ${scheme}`, async () => {
      await using folder = await temporaryFolder();
      const { path, settings } = await simulated(folder.path, codec, sound);
      await using camera = await startCamera(systemClock, { ...settings, scheme });
      await assertPlays(codec, withLogin(camera.url), path, 0);
      assert.deepEqual(camera.setups, ["video"]);
    });
  }

  for (const sound of ["aac", "pcma", "pcmu"] as const) {
    it(`sends its sound to who asks for it: ${sound}`, async () => {
      await using folder = await temporaryFolder();
      const { settings } = await simulated(folder.path, "h264", sound);
      await using camera = await startCamera(systemClock, { ...settings, scheme: "digest" });
      const { codec, seconds } = await soundOf(withLogin(camera.url));
      assert.equal(codec, { aac: "aac", pcma: "pcm_alaw", pcmu: "pcm_mulaw" }[sound]);
      assert.ok(Math.abs(seconds - 3) < 0.2, `${seconds} seconds of three`);
      assert.deepEqual(camera.setups, ["video", "audio"]);
    });
  }

  it("lets nobody in with another password", async () => {
    await using folder = await temporaryFolder();
    const { settings } = await simulated(folder.path, "h264", "aac");
    await using camera = await startCamera(systemClock, { ...settings, scheme: "digest" });
    const wrong = withLogin(camera.url).replace("word@", "w0rd@");
    await assert.rejects(frameHashes("h264", ...playing(wrong)), /401 Unauthorized/);
    assert.deepEqual(camera.setups, []);
  });

  it("is refused while it is unplugged, and plays again at the same address", async () => {
    await using folder = await temporaryFolder();
    const { path, settings } = await simulated(folder.path, "h264", "aac");
    await using camera = await startCamera(systemClock, { ...settings, scheme: "none" });
    await camera.unplug();
    await assert.rejects(frameHashes("h264", ...playing(camera.url)), /Connection refused/);
    await camera.plugIn();
    await assertPlays("h264", camera.url, path, 0);
  });
});

describe("gst-rtsp-server", () => {
  it("sends the pictures of its films in order, over and over, to who logs in with Digest", async () => {
    await using folder = await temporaryFolder();
    const cameras = [
      { film: "h264", sound: "aac" },
      { film: "h265", sound: "pcma" },
      { film: "b-frames", sound: undefined },
      { film: "long", sound: undefined },
    ] as const;
    await using server = await startGstServer(folder.path, cameras, LOGIN);
    const plays = cameras.map(({ film }, index) =>
      assertPlays(
        film === "h265" ? "h265" : "h264",
        withLogin(server.urls[index] ?? ""),
        server.films[index] ?? "",
      ),
    );
    await Promise.all(plays);
    await assert.rejects(frameHashes("h264", ...playing(server.urls[0] ?? "")), /401 Unauthorized/);
    for (const [index, codec] of [
      [0, "aac"],
      [1, "pcm_alaw"],
    ] as const)
      assert.equal((await soundOf(withLogin(server.urls[index] ?? ""))).codec, codec);
  });
});
