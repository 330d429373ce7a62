import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { HOUR_MS, type Instant, instant, MINUTE_MS, plus } from "#base/time";
import {
  begun,
  broken,
  excused,
  gapSince,
  inPieces,
  isOver,
  lost,
  type Mark,
  paid,
  resumed,
  stopped,
  stored,
} from "../daemon/record/mark.ts";
import { type Moment, momentAt } from "../daemon/record/moment.ts";

const START = instant(Date.parse("2026-06-01T10:00:00.000Z"));

/** So many ms into the story; wall time set by `jumpMs` meanwhile. */
function after(ms: number, jumpMs = 0, bootId = "one"): Moment {
  return { at: plus(START, ms + jumpMs), bootId, uptimeMs: 5000 + ms };
}

const RECORDING = resumed(begun(undefined, after(0)), after(0));

function gaps(mark: Mark): readonly (readonly [number, number, string])[] {
  return mark.untold.map(({ startedAt, endedAt, cause }) => [
    startedAt - START,
    endedAt - START,
    cause,
  ]);
}

describe("a camera's mark", () => {
  it("tells of damage in what is stored, and moves nothing, also where a gap is open behind it", () => {
    const recording = stored(RECORDING, after(0), after(60_000));
    for (const mark of [recording, broken(recording, "camera-lost", after(0))]) {
      const told = lost(mark, after(20_000), after(60_000), "packets-lost");
      assert.deepEqual(gaps(told), [[20_000, 60_000, "packets-lost"]]);
      assert.deepEqual({ ...told, untold: [] }, mark);
    }
  });

  it("makes no gap of the time a camera takes to begin for the first time", () => {
    const mark = resumed(begun(undefined, after(0)), after(2000));
    assert.deepEqual(gaps(mark), []);
    assert.equal(mark.until.at - START, 2000);
  });

  it("begins a gap where what is safely stored ends, and ends it where recording goes on", () => {
    const mark = resumed(
      broken(stored(RECORDING, after(0), after(60_000)), "camera-lost", after(0)),
      after(90_000),
    );
    assert.deepEqual(gaps(mark), [[60_000, 90_000, "camera-lost"]]);
  });

  it("keeps the first cause of a gap that says more than that the connection ended", () => {
    const open = ["camera-lost", "camera-login", "camera-unreachable", "camera-lost"].reduce(
      (mark, cause) => broken(mark, cause, after(0)),
      RECORDING,
    );
    assert.deepEqual(gaps(resumed(open, after(9000))), [[0, 9000, "camera-login"]]);
  });

  it("calls it crashed when the recorder died recording, and stopped when it stopped", () => {
    const died = begun(stored(RECORDING, after(0), after(7000)), after(20_000));
    assert.deepEqual(gaps(resumed(died, after(21_000))), [[7000, 21_000, "crashed"]]);
    const stood = begun(
      stopped(stored(RECORDING, after(0), after(7000)), after(7500)),
      after(20_000),
    );
    assert.deepEqual(gaps(resumed(stood, after(21_000))), [[7000, 21_000, "stopped"]]);
  });

  it("ends an outage of the recorder where the recorder is back, when the camera is gone then", () => {
    const died = begun(stored(RECORDING, after(0), after(7000)), after(20_000));
    const mark = broken(died, "camera-unreachable", after(20_000));
    assert.deepEqual(gaps(resumed(mark, after(50_000))), [
      [7000, 20_000, "crashed"],
      [20_000, 50_000, "camera-unreachable"],
    ]);
  });

  it("keeps what was stored since the recorder is back, however little", () => {
    const died = begun(stored(RECORDING, after(0), after(7000)), after(20_000));
    const little = stored(died, after(21_000), after(21_400));
    const mark = broken(little, "camera-unreachable", after(20_000));
    assert.deepEqual(gaps(resumed(mark, after(50_000))), [
      [7000, 21_000, "crashed"],
      [21_400, 50_000, "camera-unreachable"],
    ]);
  });

  it("goes on with the gap that was open when the recorder died", () => {
    const open = broken(RECORDING, "camera-lost", after(0));
    const again = begun(open, after(20_000));
    assert.deepEqual(gaps(resumed(again, after(30_000))), [[0, 30_000, "camera-lost"]]);
  });

  it("moves the start of an open gap only later, as what waited is written", () => {
    const open = broken(stored(RECORDING, after(0), after(5000)), "spool-slow", after(0));
    assert.equal(gapSince(stored(open, after(0), after(8000))), plus(START, 8000));
    assert.equal(gapSince(stored(open, after(0), after(3000))), plus(START, 5000));
  });

  it("cuts an open gap in two where a piece in its midst is stored", () => {
    const open = broken(stored(RECORDING, after(0), after(5000)), "camera-lost", after(0));
    const mark = stored(open, after(20_000), after(20_400));
    assert.deepEqual(gaps(resumed(mark, after(30_000))), [
      [5000, 20_000, "camera-lost"],
      [20_400, 30_000, "camera-lost"],
    ]);
  });

  it("counts what is lost once, also when it is part of the gap that is open", () => {
    const open = broken(stored(RECORDING, after(0), after(5000)), "spool-full", after(0));
    const mark = lost(open, after(5000), after(6000), "spool-full");
    assert.deepEqual(gaps(resumed(mark, after(9000))), [[5000, 9000, "spool-full"]]);
    const next = broken(lost(RECORDING, after(1000), after(2000), "spool-full"), "x", after(0));
    assert.deepEqual(gaps(resumed(next, after(3000))), [
      [1000, 2000, "spool-full"],
      [2000, 3000, "x"],
    ]);
  });

  it("tells of a stretch that is lost while recording goes on", () => {
    assert.deepEqual(gaps(lost(RECORDING, after(1000), after(2000), "spool-full")), [
      [1000, 2000, "spool-full"],
    ]);
  });

  it("tells an open gap hour by hour, and leaves it open", () => {
    const open = broken(RECORDING, "camera-lost", after(0));
    assert.deepEqual(inPieces(open, after(HOUR_MS - 1)), open);
    const piece = inPieces(open, after(HOUR_MS));
    assert.deepEqual(gaps(piece), [[0, HOUR_MS, "camera-lost"]]);
    assert.deepEqual(gaps(resumed(piece, after(HOUR_MS + MINUTE_MS))), [
      [0, HOUR_MS, "camera-lost"],
      [HOUR_MS, HOUR_MS + MINUTE_MS, "camera-lost"],
    ]);
    assert.deepEqual(inPieces(RECORDING, after(9 * HOUR_MS)), RECORDING);
  });

  it("expects nothing of a camera that is excused, and forgets it once all is told", () => {
    const mark = excused(broken(RECORDING, "camera-lost", after(0)), after(5000));
    assert.deepEqual(gaps(mark), [[0, 5000, "camera-lost"]]);
    assert.equal(gapSince(mark), undefined);
    assert.equal(isOver(mark), false);
    assert.equal(isOver({ ...mark, untold: [] }), true);
    assert.deepEqual(gaps(resumed(begun(mark, after(90_000)), after(91_000))), gaps(mark));
  });

  it("is not taken in by wall time that was set forward or back (invariant 10)", () => {
    const open = broken(RECORDING, "camera-lost", after(0));
    const back = resumed(open, after(60_000, -HOUR_MS));
    assert.deepEqual(gaps(back), [[-HOUR_MS, 60_000 - HOUR_MS, "camera-lost"]]);
    const forward = resumed(open, after(60_000, HOUR_MS));
    assert.deepEqual(gaps(forward), [[HOUR_MS, 60_000 + HOUR_MS, "camera-lost"]]);
    assert.equal(stored(RECORDING, after(0), after(1000, -HOUR_MS)).until.uptimeMs, 6000);
  });

  it("tells an outage over a start of the machine by wall time", () => {
    const died = begun(RECORDING, after(60_000, 0, "two"));
    assert.deepEqual(gaps(resumed(died, after(60_000, 0, "two"))), [[0, 60_000, "crashed"]]);
  });

  it("tells of an outage after which wall time was lost when that is right again, and not as of then", () => {
    const year = 365 * 24 * HOUR_MS;
    const died = begun(RECORDING, after(10_000, -year, "two"));
    // The camera is back before wall time is, or after.
    const recording = resumed(died, after(20_000, -year, "two"));
    const away = broken(died, "camera-unreachable", after(10_000, -year, "two"));
    for (const mark of [recording, away]) {
      assert.deepEqual(gaps(mark), []);
      assert.deepEqual(paid(mark, after(25_000, -year, "two")), mark);
    }
    const seen = paid(stored(recording, after(20_000, -year, "two"), after(29_000, -year, "two")), {
      ...after(30_000, 0, "two"),
    });
    assert.deepEqual(gaps(seen), [[0, 20_000, "crashed"]]);
    assert.equal(seen.owed, undefined);
    const both = resumed(paid(away, after(30_000, 0, "two")), after(40_000, 0, "two"));
    assert.deepEqual(gaps(both), [
      [0, 10_000, "crashed"],
      [10_000, 40_000, "camera-unreachable"],
    ]);
  });

  it("makes no gap of years where wall time was lost in one start of the machine only", () => {
    const year = 365 * 24 * HOUR_MS;
    const lostTime = resumed(
      begun(RECORDING, after(10_000, -year, "two")),
      after(20_000, -year, "two"),
    );
    const on = stored(lostTime, after(20_000, -year, "two"), after(30_000, -year, "two"));
    const back = resumed(begun(on, after(50_000, 0, "three")), after(60_000, 0, "three"));
    assert.deepEqual(gaps(back), [[0, 60_000, "crashed"]]);
    assert.equal(back.owed, undefined);
    // It was ahead before: what is owed then is never paid, and keeps nothing else from being told.
    const ahead = begun(stored(RECORDING, after(0), after(5000, year)), after(60_000, 0, "two"));
    const now = broken(resumed(ahead, after(70_000, 0, "two")), "camera-lost", after(60_000));
    assert.deepEqual(gaps(resumed(now, after(90_000, 0, "two"))), [
      [70_000, 90_000, "camera-lost"],
    ]);
  });

  it("makes no gap between a short segment after an outage and the next one", () => {
    const back = stored(begun(RECORDING, after(20_000)), after(21_000), after(22_000));
    assert.deepEqual(gaps(resumed(back, after(22_030))), [[0, 21_000, "crashed"]]);
  });

  it("makes no gap where nothing is missing", () => {
    const open = broken(stored(RECORDING, after(0), after(5000)), "camera-lost", after(0));
    assert.deepEqual(gaps(resumed(open, after(5000))), []);
  });

  it("knows a moment of wall time by uptime as well", () => {
    const at: Instant = plus(START, 1000);
    assert.deepEqual(momentAt(after(3000), at), after(1000));
  });
});
