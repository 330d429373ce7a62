import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { describe, it } from "mocha";
import { makeFilm, SMALL_FILM } from "../../daemon/demo/simulated-clips.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { frameHashes, walk } from "./frames.ts";
import { type Fault, openScriptedCamera } from "./scripted-camera.ts";

const run = promisify(execFile);

// ffmpeg on the camera itself: what the gate and the recorder make of each fault is for their own tests.

async function afterTurning(fault: Fault, play: (url: string, folder: string) => Promise<void>) {
  await using folder = await temporaryFolder();
  await using camera = await openScriptedCamera(folder.path, { scheme: "none" });
  await camera.turn(fault);
  await play(camera.url, folder.path);
}

function input(url: string, seconds: number): readonly string[] {
  const only = ["-allowed_media_types", "video", "-rtsp_transport", "tcp"];
  return [...only, "-timeout", "1000000", "-i", url, "-t", `${seconds}`];
}

async function walked(url: string, folder: string, seconds: number) {
  const source = await frameHashes("h264", "-i", await makeFilm(folder, SMALL_FILM));
  return walk(source, await frameHashes("h264", ...input(url, seconds)));
}

describe("a scripted camera", () => {
  it("passes the end of RTP time without losing a picture", async () => {
    await afterTurning("wrap", async (url, folder) => {
      const { frames, ...wrong } = await walked(url, folder, 4);
      assert.deepEqual(wrong, { unknown: 0, lost: 0, doubled: 0 });
      assert.ok(frames > 90, `${frames} frames`);
    });
  });

  it("loses pictures where packets are lost", async () => {
    await afterTurning("loss", async (url, folder) => {
      const { unknown, lost } = await walked(url, folder, 4);
      assert.ok(unknown + lost > 5, `${unknown} cut, ${lost} lost`);
    });
  });

  it("changes its parameter sets in the middle of a stream", async () => {
    await using folder = await temporaryFolder();
    await using camera = await openScriptedCamera(folder.path, { scheme: "none" });
    const other = await makeFilm(folder.path, { ...SMALL_FILM, size: "320x240" });
    const playing = frameHashes("h264", ...input(camera.url, 4));
    while (!camera.requests.some(({ method }) => method === "PLAY")) await delay(20);
    await delay(1000);
    await camera.turn("parameters");
    const after = await frameHashes("h264", "-i", other);
    const seen = await playing;
    assert.ok(seen.includes(after[0] ?? ""), "the other film never began");
    const { frames, ...wrong } = walk(after, seen.slice(seen.indexOf(after[0] ?? "")));
    assert.deepEqual(wrong, { unknown: 0, lost: 0, doubled: 0 });
    assert.ok(frames > 40 && frames < seen.length, `${frames} frames of ${seen.length}`);
  });

  it("stays silent while it is mute, and begins again with a keyframe", async () => {
    await using folder = await temporaryFolder();
    await using camera = await openScriptedCamera(folder.path, { scheme: "none" });
    const first = await frameHashes("h264", ...input(camera.url, 1));
    await camera.turn("mute");
    await assert.rejects(run("ffmpeg", [...input(camera.url, 1), "-f", "null", "-"]));
    camera.heal();
    assert.equal((await frameHashes("h264", ...input(camera.url, 1)))[0], first[0]);
  });

  for (const [fault, said] of [
    ["redirect", /127\.0\.0\.2|Connection refused/],
    ["basic", /401 Unauthorized/],
    ["password", /401 Unauthorized/],
  ] as const) {
    it(`answers so that ffmpeg gets no picture: ${fault}`, async () => {
      await using folder = await temporaryFolder();
      await using camera = await openScriptedCamera(folder.path);
      await camera.turn(fault);
      await assert.rejects(frameHashes("h264", ...input(camera.url, 1)), said);
      assert.deepEqual(camera.setups, []);
    });
  }

  it("says that its nonce is over, and takes the new one", async () => {
    await using folder = await temporaryFolder();
    await using camera = await openScriptedCamera(folder.path);
    const url = camera.url.replace("//", "//bewaard:geheim%3A%201%2F2%403@");
    // Between two requests of one connection: what an hour is to a real camera.
    camera.answers = ({ method }) => {
      if (method === "SETUP" && camera.setups.length === 1) void camera.turn("expired");
      return false;
    };
    assert.ok((await frameHashes("h264", ...input(url, 2))).length > 40);
    const logins = camera.requests.map(({ headers }) => headers["authorization"] ?? "");
    const nonces = new Set(logins.flatMap((login) => /nonce="(\w+)"/.exec(login)?.[1] ?? []));
    assert.equal(nonces.size, 2);
  });
});
