import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { systemClock } from "#base/system-clock";
import { openBoxes } from "../../drivers/camera/boxes.ts";
import { openGate } from "../../drivers/camera/gate.ts";
import { openRemux, type Remux } from "../../drivers/camera/remux.ts";
import { temporaryFolder } from "../fakes/folder.ts";
import { frameHashes, frameHashesThrough, walk } from "./frames.ts";
import { type GstCamera, startGstServer } from "./gst-server.ts";

const NEVER = new AbortController().signal;
const LOGIN = { user: "bewaard", password: 'p@ss: "wörd\\' };

/** The first box of what the recorder's own ffmpeg makes of `url`. */
async function firstBox(remux: Remux): Promise<string> {
  for await (const { type } of remux.read(openBoxes())) return type;
  return "";
}

describe("the gate, before gst-rtsp-server with Digest", () => {
  for (const [film, sound, allowed] of [
    ["h264", "aac", false],
    ["h265", "pcma", false],
    ["b-frames", "aac", true],
    ["h264", "pcma", true],
  ] as const satisfies readonly (readonly [GstCamera["film"], GstCamera["sound"], boolean])[]) {
    it(`lets each picture through once: ${film}, ${sound} ${allowed ? "taken" : "left"}`, async () => {
      await using folder = await temporaryFolder();
      await using server = await startGstServer(folder.path, [{ film, sound }], LOGIN);
      const [[url = ""], [path = ""]] = [server.urls, server.films];
      const camera = { url, login: LOGIN, basic: false, certificate: undefined, sound: allowed };
      const codec = film === "h265" ? "h265" : "h264";
      {
        await using gate = await openGate(systemClock, camera, NEVER);
        assert.deepEqual(gate.offer, {
          video: codec,
          audio: allowed ? sound : undefined,
          soundOffered: true,
          pictureKnown: true,
        });
        const seen = await frameHashesThrough(gate, codec, 6);
        const { frames, ...wrong } = walk(await frameHashes(codec, "-i", path), seen);
        assert.deepEqual(wrong, { unknown: 0, lost: 0, doubled: 0 });
        assert.ok(frames > 130 && frames < 165, `${frames} frames in six seconds`);
        assert.equal(gate.dropped(), 0);
      }
      await using gate = await openGate(systemClock, camera, NEVER);
      await using remux = await openRemux(gate.url, gate.offer);
      gate.admit(remux.reader, () => assert.fail("an intruder"));
      assert.equal(await firstBox(remux), "ftyp");
    });
  }
});
