import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { parseDeviceId } from "#base/ids";
import { DAY_MS, HOUR_MS, type Instant, instant, instantOf, MINUTE_MS, plus } from "#base/time";
import { judge, type Term } from "../daemon/term.ts";
import { startInName } from "../drivers/bodycam/start-time.ts";
import type { Device } from "../storage/catalog/devices.ts";
import type { SegmentManifest } from "../storage/spool/manifest.ts";
import { dockOf } from "./fakes/rig.ts";

const ARRIVED = instantOf("2026-11-22T17:00:00.000Z");
const TERM: Term = { termMs: 28 * DAY_MS, longestUndockedMs: 3 * DAY_MS };
const DEVICE: Device = {
  id: parseDeviceId("bc-0101"),
  kind: "bodycam",
  pairedAt: instantOf("2026-11-01T00:00:00.000Z"),
  emptiedAt: instantOf("2026-11-20T00:00:00.000Z"),
};

function recording(
  startedAt: Instant,
  changes: Partial<SegmentManifest["recording"]> = {},
): SegmentManifest["recording"] {
  const clock = { declared: "synchronised", offsetMs: null } as const;
  return { startedAt, endedAt: null, source: "name", clock, ...changes };
}

const unknown = { clock: { declared: "unknown", offsetMs: null } } as const;

describe("the term", () => {
  it("counts from recording, not from docking (DH-07)", () => {
    const startedAt = plus(ARRIVED, -DAY_MS);
    const { timeTrust, dueAt } = judge(recording(startedAt), DEVICE, ARRIVED, TERM);
    assert.equal(timeTrust, "trusted");
    assert.equal(dueAt, startedAt + 28 * DAY_MS - HOUR_MS);
  });

  it("of footage older than the term by a trusted clock has ended", () => {
    const first = { ...DEVICE, emptiedAt: undefined, pairedAt: ARRIVED };
    const startedAt = plus(ARRIVED, -(28 * DAY_MS - MINUTE_MS));
    const { timeTrust, dueAt } = judge(recording(startedAt), first, ARRIVED, TERM);
    assert.equal(timeTrust, "trusted");
    assert.ok(dueAt <= ARRIVED);
  });

  it("counts from arrival less the longest time undocked when the clock is not known", () => {
    const { timeTrust, dueAt } = judge(
      recording(plus(ARRIVED, -DAY_MS), unknown),
      DEVICE,
      ARRIVED,
      TERM,
    );
    assert.equal(timeTrust, "untrusted");
    assert.equal(dueAt, ARRIVED + 25 * DAY_MS - HOUR_MS);
  });

  it("is 72 hours for what claims to be overdue by a clock that may have been reset", () => {
    const reset = recording(instantOf("2000-01-01T00:00:01.000Z"), unknown);
    const { timeTrust, dueAt } = judge(reset, DEVICE, ARRIVED, TERM);
    assert.equal(timeTrust, "overdue");
    assert.equal(dueAt, ARRIVED + 72 * HOUR_MS);
  });

  it("does not believe a start before the card was last emptied, nor one in the future", () => {
    for (const startedAt of [instantOf("2026-11-19T23:59:59.000Z"), plus(ARRIVED, 6 * MINUTE_MS)]) {
      assert.equal(judge(recording(startedAt), DEVICE, ARRIVED, TERM).timeTrust, "untrusted");
    }
  });

  it("believes a clock that was seen within five minutes of ours, and none that was further off", () => {
    const off = (offsetMs: number) =>
      judge(
        recording(plus(ARRIVED, -DAY_MS), { clock: { declared: "unknown", offsetMs } }),
        DEVICE,
        ARRIVED,
        TERM,
      ).timeTrust;
    assert.equal(off(-5 * MINUTE_MS), "trusted");
    assert.equal(off(5 * MINUTE_MS + 1), "untrusted");
  });

  it("never trusts a time that is only the file's last change", () => {
    const { timeTrust } = judge(
      recording(plus(ARRIVED, -DAY_MS), { source: "modified" }),
      DEVICE,
      ARRIVED,
      TERM,
    );
    assert.equal(timeTrust, "untrusted");
  });

  it("never lets anything live past 28 days from its arrival, whatever it claims (invariant 3)", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4e12 }),
        fc.boolean(),
        fc.integer(),
        (ms, sync, offsetMs) => {
          const clock = { declared: sync ? "synchronised" : "unknown", offsetMs } as const;
          const { dueAt } = judge(recording(instant(ms), { clock }), DEVICE, ARRIVED, TERM);
          assert.ok(dueAt <= ARRIVED + 28 * DAY_MS - HOUR_MS + 5 * MINUTE_MS);
        },
      ),
    );
  });
});

describe("the start in a file's name", () => {
  const { profile } = dockOf(DEVICE.id, "/");
  const start = (name: string) => {
    const at = startInName(profile, Buffer.from(name));
    return at === undefined ? undefined : new Date(at).toISOString();
  };

  it("is local time in the camera's zone, summer and winter", () => {
    assert.equal(start("DCIM/100MEDIA/20261122_170309.MP4"), "2026-11-22T16:03:09.000Z");
    assert.equal(start("DCIM/100MEDIA/20260701_170309.MP4"), "2026-07-01T15:03:09.000Z");
  });

  it("counts an hour that came twice as the first, so that nothing is kept too long", () => {
    assert.equal(start("20261025_023000.MP4"), "2026-10-25T00:30:00.000Z");
  });

  it("is none for names that tell no time, or an impossible one", () => {
    for (const name of ["MOV00001.MP4", "20261332_250000.MP4", "20260230_100000.MP4", "", "\xff"]) {
      assert.equal(start(name), undefined, name);
    }
  });
});
