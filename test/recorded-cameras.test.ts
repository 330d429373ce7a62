import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { dockedIn, FIVE_CAMERAS, fiveCameras } from "./fakes/docked-cameras.ts";

describe("what a real kernel told of five cameras", () => {
  it("is read as the slot, disk and partition of each, whatever socket it is in (DH-06)", async () => {
    assert.deepEqual(await dockedIn(await fiveCameras()), FIVE_CAMERAS);
  });

  it("calls a socket by its USB 2 side when the camera talks USB 3, however that is numbered", async () => {
    const recording = await fiveCameras();
    // The same socket as another machine numbers it: 3 of USB 3 is 13 of USB 2.
    const elsewhere = recording.replace(
      /^(.*\/usb3-port3\/peer -> ).*$/m,
      "$1../../../usb2/2-0:1.0/usb2-port13",
    );
    const port = /^(\S*usb2-port)3\/peer -> (.*)$/m;
    const both = elsewhere.replace(port, "$113/peer -> $2");
    const [first] = await dockedIn(both);
    assert.deepEqual(first, { ...FIVE_CAMERAS[0], slot: "0000:00:01.0/13" });
  });
});
