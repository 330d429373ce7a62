import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { SECOND_MS } from "#base/time";
import { simulatedClock } from "../daemon/demo/simulated-clock.ts";
import { openWatch } from "../daemon/record/watch.ts";
import type { Fragment } from "../drivers/camera/fragments.ts";
import { NEVER, START } from "./fakes/rig.ts";

const ENDED = new BewaardError("CAMERA_STREAM", "ffmpeg ended by itself", { transient: true });

function fragment(durationMs: number): Fragment {
  return {
    kind: "fragment",
    bytes: [],
    runs: [],
    keyframe: true,
    mediaMs: 0,
    durationMs,
    prftMs: undefined,
    parameters: "",
  };
}

/** After how many seconds of silence a watch that heard `heard` says that the camera has stalled. */
async function patience(heard: readonly Fragment[]): Promise<number> {
  const clock = simulatedClock(START);
  const watch = openWatch(clock);
  for (const one of heard) watch.heard(one);
  const stalled = new AbortController();
  void watch
    .until(() => false, NEVER)
    .catch((error: unknown) => {
      assert.ok(error instanceof BewaardError && error.code === "CAMERA_STALLED");
      stalled.abort();
    });
  await clock.asleep(1, NEVER);
  let seconds = 0;
  for (; !stalled.signal.aborted && seconds < 60; seconds += 1)
    await clock.pass(SECOND_MS, stalled.signal).catch(() => undefined);
  return seconds;
}

describe("the watch over a camera's pictures", () => {
  it("gives a camera 15 s for its first fragment, then 5 s or four fragments, whichever is longer", async () => {
    assert.equal(await patience([]), 16);
    assert.equal(await patience([fragment(500)]), 6);
    assert.equal(await patience([fragment(2000)]), 9);
  });

  it("is patient for 20 s at most, whatever a fragment claims, or its time jumps by", async () => {
    assert.equal(await patience([fragment(4900)]), 20);
    assert.equal(await patience([fragment(10_000)]), 21);
    assert.equal(await patience([fragment(60_000)]), 21);
  });

  it("calls it stalled where ffmpeg gave up because of silence, also with a last fragment", async () => {
    const clock = simulatedClock(START);
    const watch = openWatch(clock);
    watch.heard(fragment(500));
    assert.equal(watch.why(ENDED), ENDED);
    void clock.sleep(60 * SECOND_MS, NEVER);
    await clock.pass(5 * SECOND_MS, NEVER);
    assert.equal(watch.why(ENDED).code, "CAMERA_STALLED");
    watch.heard(fragment(500));
    assert.equal(watch.why(ENDED).code, "CAMERA_STALLED");
    watch.heard(fragment(500));
    assert.equal(watch.why(ENDED), ENDED);
    const login = new BewaardError("CAMERA_LOGIN", "it does not take the password");
    assert.equal(watch.why(login), login);
  });
});
