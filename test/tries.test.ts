import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { BewaardError, type ErrorCode } from "#base/errors";
import { HOUR_MS, SECOND_MS } from "#base/time";
import { openTries } from "../daemon/record/tries.ts";

interface Seconds {
  readonly code: ErrorCode;
  readonly stamp?: string;
  readonly recorded?: number;
  readonly transient?: boolean;
}

/** At which seconds of an hour a camera is tried that fails as `course` says, at each second. */
function triedAt(course: (second: number) => Seconds): readonly number[] {
  const tries = openTries(() => 0);
  const tried: number[] = [];
  for (let nowMs = 0; nowMs < HOUR_MS; nowMs += SECOND_MS) {
    const second = nowMs / SECOND_MS;
    const { code, stamp = "1", recorded = 0, transient = false } = course(second);
    if (!tries.due(nowMs, stamp)) continue;
    tried.push(second);
    const failure = { beganMs: nowMs, recordedMs: recorded * SECOND_MS, stamp };
    tries.failed(new BewaardError(code, "test", { transient }), failure);
  }
  return tried;
}

describe("a camera that fails is tried again", () => {
  it("sooner and then each half minute", () => {
    const tried = triedAt(() => ({ code: "CAMERA_REFUSED" }));
    assert.deepEqual(tried.slice(0, 8), [0, 1, 3, 7, 15, 31, 61, 91]);
    assert.equal(tried.length, 5 + 119);
  });

  for (const code of ["CAMERA_LOGIN", "SECRET_MISSING", "SECRET_EXPOSED"] as const) {
    it(`where it refuses the login three times and then each five minutes: ${code}`, () => {
      const tried = triedAt(() => ({ code }));
      assert.deepEqual(tried.slice(0, 5), [0, 30, 60, 360, 660]);
      assert.equal(tried.length, 14);
    });
  }

  it("at once when the file of its password has changed, and then as at first", () => {
    const tried = triedAt((second) => ({
      code: "CAMERA_LOGIN",
      stamp: second < 1000 ? "1" : "2",
    }));
    assert.deepEqual(tried.slice(3), [360, 660, 960, 1000, 1030, 1060, ...everyFive(1360)]);
  });

  it("as at first once it was recorded, and not because it was away", () => {
    const away = triedAt((second) =>
      second >= 60 && second < 120
        ? { code: "CAMERA_UNREACHABLE", transient: true }
        : { code: "CAMERA_LOGIN" },
    );
    assert.deepEqual(away.slice(0, 9), [0, 30, 60, 61, 63, 67, 75, 91, 121]);
    assert.deepEqual(away.slice(9), everyFive(421));
    const well = triedAt((second) =>
      second === 360 ? { code: "CAMERA_LOST", recorded: 20 } : { code: "CAMERA_LOGIN" },
    );
    assert.deepEqual(well.slice(0, 8), [0, 30, 60, 360, 361, 391, 421, 721]);
  });

  it("not sooner for a change of the file, where the login is not what is wrong", () => {
    const tried = triedAt((second) => ({ code: "CAMERA_STREAM", stamp: String(second) }));
    assert.deepEqual(tried.slice(0, 4), [0, 1, 3, 7]);
    const mended = triedAt((second) =>
      second === 0 ? { code: "CAMERA_LOGIN" } : { code: "CAMERA_STREAM", stamp: "2" },
    );
    assert.deepEqual(mended.slice(0, 5), [0, 1, 2, 4, 8]);
  });
});

function everyFive(from: number): readonly number[] {
  const after = Math.ceil((HOUR_MS / SECOND_MS - from) / 300);
  return Array.from({ length: after }, (_, index) => from + 300 * index);
}
