import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { instantOf, plus } from "#base/time";
import { findSegments } from "../storage/catalog/find.ts";
import { openRig } from "./fakes/rig.ts";
import { shown } from "./fakes/shown.ts";

const FIRST = "2026-10-25T00:30:00.000Z";
const SECOND = "2026-10-25T01:30:00.000Z";

describe("a recording in the hour that comes twice", () => {
  it("keeps both starts, is found by either and no other, and counts its term from the earlier", async () => {
    await using rig = await openRig();
    rig.clock.move(instantOf("2026-10-25T08:00:00.000Z") - rig.clock.now());
    const id = await rig.keep("beeld", "DCIM/100MEDIA/20261025_023000.MP4");
    const found = (from: string, minutes: number) =>
      findSegments(rig.database, {
        device: undefined,
        from: instantOf(from),
        to: plus(instantOf(from), minutes * 60_000),
      });
    const [segment] = await found(SECOND, 0);
    assert.equal(segment?.id, id);
    assert.equal(segment.startedAt, instantOf(FIRST));
    assert.equal(segment.alternativeStartedAt, instantOf(SECOND));
    assert.ok(segment.dueAt < instantOf(FIRST) + 28 * 86_400_000);
    assert.equal((await found(FIRST, 0)).length, 1);
    assert.equal((await found("2026-10-25T00:00:00.000Z", 20)).length, 0);
    const [leaf] = await rig.database.transaction((sql) =>
      sql.all("select body from entry where kind = 'segment.sealed'"),
    );
    assert.match(String(leaf?.["body"]), /"alternativeStartedAt":"2026-10-25T01:30:00.000Z"/);
    assert.ok(rig.said.includes("time-ambiguous"));
    assert.deepEqual(await rig.check(), []);
  });

  it("is shown with both, in Dutch and English", () => {
    const one = {
      id: "01M823Q93RNVCW2NG23GSWH0MC",
      device: "bc-0101",
      startedAt: FIRST,
      alternativeStartedAt: SECOND,
      endedAt: null,
      place: null,
      timeSource: "name",
      arrivedAt: FIRST,
      truncated: false,
      timeTrust: "trusted",
      dueAt: FIRST,
      holdableUntil: FIRST,
      bytes: 1,
      state: "stored",
      hold: "none",
    } as const;
    assert.match(
      shown({ segments: [one] }),
      /02:30:00 \+02:00.*klok verzet, of \/ clocks changed, or: 25-10-2026 02:30:00 \+01:00/,
    );
  });
});
