import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import type { CameraAddress } from "../drivers/camera/address.ts";
import { openGate } from "../drivers/camera/gate.ts";
import { rtpClip } from "./fakes/rtp-clip.ts";
import { AAC, camera, guarded, openPeer, type Script, sdp } from "./fakes/rtsp-peer.ts";

const NEVER = new AbortController().signal;
const clip = rtpClip(50);

function address(url: string, more: Partial<CameraAddress> = {}): CameraAddress {
  const login = { user: "user", password: "geheim-9" };
  return { url, login, basic: false, certificate: undefined, sound: false, ...more };
}

/** Sends the clip when it is played, and ends. */
function playing(script: Script): Script {
  return (asked, socket) => {
    if (asked.method === "PLAY") {
      queueMicrotask(() => socket.end(Buffer.concat(clip.pictures)));
    }
    return script(asked, socket);
  };
}

/** Has a real ffmpeg read `url`, and says the hash of each picture. */
async function pictures(url: string, more: readonly string[] = []): Promise<string[]> {
  const guards = ["-nostdin", "-loglevel", "warning", "-protocol_whitelist", "rtsp,tcp,udp,rtp"];
  const input = [...more, "-rtsp_transport", "tcp", "-i", url];
  const output = ["-c", "copy", "-f", "framemd5", "pipe:1"];
  const { stdout } = await promisify(execFile)("ffmpeg", [...guards, ...input, ...output]);

  return stdout.split("\n").filter((line) => /^\d/.test(line));
}

describe("RTSP gate", () => {
  it("lets ffmpeg have every picture of a camera that wants a Digest login", async () => {
    await using peer = await openPeer(
      guarded(playing(camera(sdp(clip.medium, AAC))), "geheim-9", () => "n1"),
    );
    await using gate = await openGate(systemClock, address(peer.url), NEVER);
    assert.deepEqual(gate.offer, { video: "h264", audio: undefined, soundOffered: true });
    const got = await pictures(gate.url);
    assert.equal(got.length, 50);
    assert.equal((await gate.lost).code, "CAMERA_LOST");
  });
});
