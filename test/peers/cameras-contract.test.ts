import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { startCamera } from "../../daemon/demo/simulated-camera.ts";
import { heard, makeFilm, SMALL_FILM } from "../../daemon/demo/simulated-clips.ts";
import { videoOf } from "../../daemon/demo/simulated-video.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { frameHashes, walk } from "./frames.ts";

const LOGIN = { user: "user", password: "p@ss: word" };

/** With the login in it, as ffmpeg wants it. Only here: the login of a test is no secret. */
function withLogin(url: string): string {
  const { user, password } = LOGIN;
  return url.replace("//", `//${encodeURIComponent(user)}:${encodeURIComponent(password)}@`);
}

function playing(url: string, ...more: readonly string[]): readonly string[] {
  return ["-rtsp_transport", "tcp", ...more, "-i", url, "-t", "5"];
}

async function simulated(folder: string, codec: "h264" | "h265", sound: "aac" | "pcma" | "pcmu") {
  const path = await makeFilm(folder, { ...SMALL_FILM, codec });
  const video = await videoOf(path, codec, SMALL_FILM.framesPerSecond);
  const settings = { video, sound: await heard(folder, sound), ...LOGIN, tls: undefined };
  return { path, settings };
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
      const input = playing(withLogin(camera.url), "-allowed_media_types", "video");
      const seen = await frameHashes(codec, ...input);
      const source = await frameHashes(codec, "-i", path);
      const { frames, ...wrong } = walk(source, seen);
      assert.deepEqual(wrong, { unknown: 0, lost: 0, doubled: 0 });
      assert.ok(frames > 115 && frames < 130, `${frames} frames in five seconds`);
      assert.equal(seen[0], source[0]);
      assert.deepEqual(camera.setups, ["video"]);
    });
  }
});
