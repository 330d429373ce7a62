import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { type Clock, instant } from "#base/time";
import type { Fragment } from "../drivers/camera/fragments.ts";
import { openStreamClock } from "../drivers/camera/stream-clock.ts";
import { START } from "./fakes/rig.ts";

const HALF_MS = 500;

/** A machine whose two clocks are set by hand. */
function machine(): Clock & { go(ms: number): void; set(byMs: number): void } {
  let uptimeMs = 1_000_000;
  let stepMs = 0;
  return {
    now: () => instant(START + uptimeMs + stepMs),
    uptimeMs: () => uptimeMs,
    bootId: () => "boot",
    sleep: () => Promise.reject(new Error("nobody waits here")),
    go: (ms) => void (uptimeMs += ms),
    set: (byMs) => void (stepMs += byMs),
  };
}

function fragment(mediaMs: number, prftMs?: number): Fragment {
  const nothing = { bytes: [], runs: [], parameters: "", keyframe: false };
  return { kind: "fragment", ...nothing, mediaMs, durationMs: HALF_MS, prftMs };
}

interface Stream {
  readonly clock: ReturnType<typeof machine>;
  readonly stream: ReturnType<typeof openStreamClock>;
  /** Half a second passes, and its fragment arrives `lateMs` after that. */
  readonly next: (lateMs?: number, cameraAheadMs?: number) => void;
  /** The stream's time leaves out so much. */
  readonly skip: (ms: number) => void;
}

function live(reported = () => true): Stream {
  const clock = machine();
  const stream = openStreamClock(clock, reported);
  let mediaMs = 0;
  return {
    clock,
    stream,
    next: (lateMs = 0, cameraAheadMs) => {
      clock.go(HALF_MS);
      const taken = clock.now() - HALF_MS;
      const prft = cameraAheadMs === undefined ? undefined : taken + cameraAheadMs;
      clock.go(lateMs);
      stream.hear(fragment(mediaMs, prft));
      clock.go(-lateMs);
      mediaMs += HALF_MS;
    },
    skip: (ms) => void (mediaMs += ms),
  };
}

function many(times: number, what: () => void): void {
  for (let time = 0; time < times; time += 1) what();
}

const JUMPED = { code: "CAMERA_STREAM", message: /jumped forward/ };
const BEHIND = { code: "CAMERA_STREAM", message: /fell behind/ };

describe("the stream's clock", () => {
  it("takes the quickest arrival for the truth, however late the others are (AR-13)", () => {
    const { clock, stream, next } = live();
    const began = clock.now();
    for (const lateMs of [900, 300, 40, 700, 0, 350]) next(lateMs);
    assert.equal(stream.at(0), began);
    assert.equal(stream.at(60_000), began + 60_000);
  });

  it("forgets an arrival after a minute, so that a camera's clock may drift", () => {
    const { stream, next, clock } = live();
    const began = clock.now();
    next();
    many(130, () => next(30));
    assert.equal(stream.at(0), began + 30);
  });

  it("tells the time that the machine's clock was set to meanwhile", () => {
    const { clock, stream, next } = live();
    const began = clock.now();
    many(3, next);
    clock.set(-7000);
    assert.equal(stream.at(0), began - 7000);
  });

  it("hears a fragment once", () => {
    const clock = machine();
    const stream = openStreamClock(clock, () => true);
    const first = fragment(0);
    stream.hear(first);
    clock.go(60_000);
    assert.doesNotThrow(() => stream.hear(first));
  });

  it("refuses a stream whose time jumps forward by more than 2 s, or 10 s while it settles", () => {
    const { next, skip } = live();
    next();
    skip(9500);
    assert.doesNotThrow(() => next());
    many(70, next);
    skip(1500);
    assert.doesNotThrow(() => next());
    skip(2500);
    assert.throws(() => next(), JUMPED);
  });

  it("refuses a stream that is 15 s late, or 2 s late for 10 s", () => {
    const sudden = live();
    sudden.next();
    assert.throws(() => sudden.next(15_500), BEHIND);
    const lasting = live();
    lasting.next();
    many(20, () => lasting.next(2500));
    assert.throws(() => lasting.next(2500), BEHIND);
    const catching = live();
    many(8, () => {
      many(19, () => catching.next(2500));
      catching.next(0);
    });
  });

  it("refuses a stream whose time goes back for good", () => {
    const { next, skip } = live();
    many(20, next);
    skip(-60_000);
    assert.throws(() => next(), BEHIND);
  });
});

describe("the camera's own clock", () => {
  it("is unknown until the camera has said what time it is", () => {
    const { stream, next, clock } = live();
    many(4, next);
    assert.deepEqual({ ...stream.camera }, { offsetMs: null, source: "arrival" });
    // Before the first report ffmpeg writes the moment of writing in the same place.
    clock.go(HALF_MS);
    stream.hear(fragment(4 * HALF_MS, clock.now() - 3));
    assert.equal(stream.camera.source, "arrival");
  });

  it("is unknown as long as no report came, whatever stands where its time would", () => {
    let came = false;
    const { stream, next } = live(() => came);
    many(60, () => next(0, 20));
    assert.deepEqual({ ...stream.camera }, { offsetMs: null, source: "arrival" });
    came = true;
    next(0, 90_000);
    assert.deepEqual({ ...stream.camera }, { offsetMs: 90_000, source: "rtcp" });
  });

  for (const aheadMs of [-3_600_000, -40, 0, 3_600_000]) {
    it(`is reported when it is ${aheadMs} ms off, and changes no recording's time (AR-13)`, () => {
      const { stream, next, clock } = live();
      const began = clock.now();
      many(4, () => next(0, aheadMs));
      assert.deepEqual({ ...stream.camera }, { offsetMs: aheadMs, source: "rtcp" });
      assert.equal(stream.at(0), began);
    });
  }

  it("is not the 13 hours that ffmpeg is off by where RTP's clock begins anew", () => {
    const { stream, next } = live();
    many(4, () => next(0, 20));
    many(20, () => next(0, 20 - 47_721_861));
    assert.equal(stream.camera.offsetMs, 20);
    next(0, 20);
    many(20, () => next(0, 20 - 47_721_861));
    assert.equal(stream.camera.offsetMs, 20);
  });

  it("is followed when somebody sets it", () => {
    const { stream, next } = live();
    many(4, () => next(0, 20));
    many(32, () => next(0, 90_000));
    assert.equal(stream.camera.offsetMs, 90_000);
  });
});
