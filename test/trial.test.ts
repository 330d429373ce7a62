import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { every } from "#base/time";
import { tryStream } from "../daemon/record/trial.ts";
import { address } from "./fakes/gate-client.ts";
import { NEVER } from "./fakes/rig.ts";
import { answer, camera, H264, openPeer, sdp } from "./fakes/rtsp-peer.ts";

const SLOW_MS = 400;
/** Less than the half minute that a trial has by itself, and more than a busy machine needs to end ffmpeg. */
const ENDS_MS = 20_000;

/** Takes its time for each answer, and then sends nothing but reports. */
function openSlow() {
  return openPeer((asked, socket) => {
    const text = camera(sdp(H264))(asked, socket) ?? answer("200 OK");
    void answering(socket, text.replace("CSeq: $", `CSeq: ${asked.headers.get("cseq")}`));
    if (asked.method === "PLAY") void reporting(socket);
    return undefined;
  });
}

async function answering(socket: Socket, text: string): Promise<void> {
  await systemClock.sleep(SLOW_MS, NEVER);
  if (socket.writable) socket.write(text);
}

async function reporting(socket: Socket): Promise<void> {
  const report = Buffer.alloc(32);
  report.set([0x24, 1, 0, 28, 0x80, 200, 0, 6]);
  for await (const _ of every(systemClock, 100, NEVER)) {
    if (!socket.writable) return;
    socket.write(report);
  }
}

describe("a trial of a camera that sends no picture", function () {
  this.timeout(60_000);

  // Before the camera has been asked everything, while ffmpeg starts, and once it plays.
  for (const afterMs of [1, 2.5, 3.5, 5, 8].map((answers) => answers * SLOW_MS)) {
    it(`ends when its time is up, ${afterMs} ms after it began`, async () => {
      await using peer = await openSlow();
      const began = systemClock.uptimeMs();
      await assert.rejects(tryStream(systemClock, address(peer.url), NEVER, afterMs), {
        code: "CAMERA_STALLED",
        message: /no ten seconds of picture/,
      });
      assert.ok(systemClock.uptimeMs() - began < afterMs + ENDS_MS);
    });

    it(`ends when it is told to, ${afterMs} ms after it began`, async () => {
      await using peer = await openSlow();
      const stop = new AbortController();
      const trying = tryStream(systemClock, address(peer.url), stop.signal);
      const began = systemClock.uptimeMs();
      const ended = assert.rejects(trying, { name: "AbortError" });
      await systemClock.sleep(afterMs, NEVER);
      stop.abort();
      await ended;
      assert.ok(systemClock.uptimeMs() - began < afterMs + ENDS_MS);
    });
  }
});
