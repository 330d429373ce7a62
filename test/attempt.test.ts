import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { describe, it } from "mocha";
import { atMostEvery } from "#base/at-most-every";
import { deadline } from "#base/deadline";
import { systemClock } from "#base/system-clock";
import { type Clock, HOUR_MS, type Instant, MINUTE_MS, plus } from "#base/time";
import { simulatedClock } from "../daemon/demo/simulated-clock.ts";
import { type Attempt, attempt, type Recorder } from "../daemon/record/attempt.ts";
import { openBacklog } from "../daemon/record/backlog.ts";
import { openBoard } from "../daemon/record/board.ts";
import { openClosing } from "../daemon/record/closing.ts";
import { openHistory } from "../daemon/record/history.ts";
import { openLive } from "../daemon/record/live.ts";
import { READ_BY_OURSELVES } from "../daemon/record/reading.ts";
import { openRecordSealing } from "../daemon/record/sealing.ts";
import { serviceOf, type WallCameraSettings } from "../daemon/record/wall-camera.ts";
import { manifestNames, readManifest } from "../storage/spool/incoming.ts";
import { createIncoming } from "../storage/spool/spool.ts";
import { openClient } from "./fakes/gate-client.ts";
import { CAMERA, NEVER, openRig, type Rig, START } from "./fakes/rig.ts";
import { rtpClip } from "./fakes/rtp-clip.ts";
import { camera, openPeer, type Script, sdp } from "./fakes/rtsp-peer.ts";

const clip = rtpClip(50, "640x480");

/** Sends the clip when it is played, picture by picture, and `then` may end it. */
function playing(then: "ends" | "goes on"): Script {
  const script = camera(sdp(clip.medium));
  async function send(socket: Socket): Promise<void> {
    for (const picture of clip.pictures) {
      socket.write(picture);
      // So that what came before is written, and known to be.
      await systemClock.sleep(10, NEVER);
    }
    if (then === "ends") socket.end();
  }
  return (asked, socket) => {
    if (asked.method === "PLAY") queueMicrotask(() => void send(socket));
    return script(asked, socket);
  };
}

async function openRecorder(rig: Rig, clock: Clock): Promise<Recorder> {
  const { events, spool, folder } = rig;
  const { node, book } = rig.sealing;
  const incoming = await createIncoming(spool, "record");
  const marks = join(folder, "marks.json");
  const history = await openHistory(clock, events, marks, [CAMERA], async () => undefined);
  history.of(CAMERA).begin();
  return {
    clock,
    events,
    sealing: openRecordSealing(clock, events, node, book, incoming),
    backlog: openBacklog(),
    history,
    board: openBoard(clock, [CAMERA]),
    live: openLive([CAMERA], MINUTE_MS),
    segmentMs: MINUTE_MS,
    reading: READ_BY_OURSELVES,
    wantRoom: () => undefined,
  };
}

function trying(clock: Clock, url: string, until?: Instant): Attempt {
  const settings: WallCameraSettings = {
    number: CAMERA,
    url,
    user: undefined,
    basic: false,
    certificate: undefined,
    building: "stadhuis",
    room: undefined,
    sound: false,
    service: serviceOf(true, until && { from: START, until }),
    until,
    covert: until !== undefined,
  };
  return {
    camera: settings,
    login: async () => undefined,
    closing: openClosing(),
    hourly: atMostEvery(clock, HOUR_MS),
    said: { failed: false },
  };
}

/**
 * Finds the gate's address where any process of this user can: in ffmpeg's command line, as soon as that is
 * started. Holds ffmpeg up, asks in its stead, and says what was answered.
 */
async function intrude(): Promise<string> {
  for (;;) {
    const children = readFileSync(`/proc/self/task/${process.pid}/children`, "latin1");
    for (const pid of children.split(" ").filter((one) => one !== "")) {
      const line = readFileSync(`/proc/${pid}/cmdline`, "latin1");
      const [url] = /rtsp:\/\/127\.0\.0\.1:[^\0]+/.exec(line) ?? [];
      if (url === undefined) continue;
      process.kill(Number(pid), "SIGSTOP");
      try {
        using client = await openClient(url);
        return await client.ask("DESCRIBE", url);
      } finally {
        process.kill(Number(pid), "SIGCONT");
      }
    }
    await turn();
  }
}

describe("an attempt to record a camera", () => {
  it("says once an hour that a process of this box asked in ffmpeg's stead, and records all the same", async () => {
    await using rig = await openRig();
    await using peer = await openPeer(playing("ends"));
    let laterMs = 0;
    const clock: Clock = { ...systemClock, uptimeMs: () => systemClock.uptimeMs() + laterMs };
    const recorder = await openRecorder(rig, clock);
    const asked = trying(clock, peer.url);
    const told: number[] = [];
    for (const passedMs of [0, 59 * MINUTE_MS, MINUTE_MS]) {
      laterMs += passedMs;
      const [answered, { error, recordedMs }] = await Promise.all([
        intrude(),
        attempt(recorder, asked, NEVER),
      ]);
      assert.match(answered, /^RTSP\/1\.0 404 /);
      assert.deepEqual([error?.code, recordedMs > 0], ["CAMERA_LOST", true]);
      told.push(rig.said.filter((event) => event === "camera-intruder").length);
    }
    await asked.closing.all();
    assert.deepEqual(told, [1, 1, 2]);
  });

  it("ends with a covert camera's period, to the moment, whatever comes of it (AR-40)", async () => {
    await using rig = await openRig();
    await using peer = await openPeer(playing("goes on"));
    const clock = simulatedClock(START);
    // Sooner than anybody looks who looks each second.
    const until = plus(START, 400);
    const recorder = await openRecorder(rig, clock);
    const asked = trying(clock, peer.url, until);
    const patience = deadline(MINUTE_MS, NEVER);
    const attempted = attempt(recorder, asked, patience);
    while (!rig.said.includes("camera-recording")) await systemClock.sleep(10, patience);
    void clock.pass(400, NEVER);
    assert.equal((await attempted).error, undefined);
    assert.equal(patience.aborted, false);
    assert.equal(peer.asked.at(-1)?.method, "TEARDOWN");
    await asked.closing.all();
    const { incoming, node } = recorder.sealing;
    const [name, another] = await manifestNames(incoming);
    assert.ok(name !== undefined && another === undefined);
    const kept = await readManifest(incoming, name, { node, owners: [process.getuid?.() ?? -1] });
    assert.ok(kept.kind === "segment" && (kept.recording.endedAt ?? 0) <= until);
  });
});
