import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { parseDeviceId } from "#base/ids";
import { DAY_MS, HOUR_MS, type Instant, instant, instantOf, MINUTE_MS, plus } from "#base/time";
import { judge, type Term } from "../daemon/term.ts";
import type { Device } from "../storage/catalog/devices.ts";
import type { SegmentManifest } from "../storage/spool/manifest.ts";

const ARRIVED = instantOf("2026-11-22T17:00:00.000Z");
const TERM: Term = {
  termMs: 28 * DAY_MS,
  longestUndockedMs: 3 * DAY_MS,
  destroyWithinMs: 7 * DAY_MS,
};
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
  return {
    startedAt,
    alternativeStartedAt: null,
    endedAt: null,
    source: "name",
    clock,
    ...changes,
  };
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

  it("believes what was seen of a clock before what its profile promises of it", () => {
    const seen = (source: "name" | "stream", offsetMs: number | null) =>
      judge(
        recording(plus(ARRIVED, -DAY_MS), {
          source,
          clock: { declared: "synchronised", offsetMs },
        }),
        DEVICE,
        ARRIVED,
        TERM,
      ).timeTrust;
    assert.equal(seen("name", null), "trusted");
    assert.equal(seen("name", 4 * MINUTE_MS), "trusted");
    assert.equal(seen("name", HOUR_MS), "untrusted");
    // A camera in a building: the start is of our own clock.
    assert.equal(seen("stream", HOUR_MS), "trusted");
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

  const claims = fc.record({
    startedAt: fc.integer({ min: DAY_MS, max: 4e12 }).map(instant),
    source: fc.constantFrom("name", "container", "modified", "arrival"),
    declared: fc.constantFrom("synchronised", "unknown"),
    offsetMs: fc.option(fc.integer({ min: -1e10, max: 1e10 })),
    emptiedAt: fc.option(fc.integer({ min: 0, max: 4e12 }).map(instant), { nil: undefined }),
    pairedAt: fc.integer({ min: 30 * DAY_MS, max: 4e12 }).map(instant),
    termDays: fc.integer({ min: 2, max: 28 }),
  });

  it("never ends later than arrival and term, whatever is claimed and whenever it was emptied", () => {
    fc.assert(
      fc.property(claims, (one) => {
        const term = { termMs: one.termDays * DAY_MS, longestUndockedMs: DAY_MS };
        const clock = { declared: one.declared, offsetMs: one.offsetMs } as const;
        const device = { ...DEVICE, emptiedAt: one.emptiedAt, pairedAt: one.pairedAt };
        const { dueAt } = judge({ ...one, clock }, device, ARRIVED, term);
        assert.ok(dueAt < ARRIVED + term.termMs);
      }),
    );
  });

  it("leaves 72 hours to look at whatever no right clock says is over, however old it claims to be", () => {
    fc.assert(
      fc.property(claims, (one) => {
        const near = one.offsetMs !== null && Math.abs(one.offsetMs) <= 5 * MINUTE_MS;
        fc.pre(!near && (one.declared === "unknown" || one.offsetMs !== null));
        const clock = { declared: one.declared, offsetMs: one.offsetMs } as const;
        const device = { ...DEVICE, emptiedAt: one.emptiedAt, pairedAt: one.pairedAt };
        const { timeTrust, dueAt } = judge({ ...one, clock }, device, ARRIVED, TERM);
        assert.notEqual(timeTrust, "trusted");
        assert.ok(dueAt >= ARRIVED + 72 * HOUR_MS);
      }),
    );
  });

  it("is of a start only where that lies after the last emptying, and its clock was right (DH-07)", () => {
    fc.assert(
      fc.property(claims, (one) => {
        const term = { termMs: one.termDays * DAY_MS, longestUndockedMs: DAY_MS };
        const clock = { declared: one.declared, offsetMs: one.offsetMs } as const;
        const device = { ...DEVICE, emptiedAt: one.emptiedAt, pairedAt: one.pairedAt };
        const { timeTrust, dueAt } = judge({ ...one, clock }, device, ARRIVED, term);
        const claimed = Math.max(0, one.startedAt + term.termMs - HOUR_MS);
        const fromArrival = ARRIVED + term.termMs - DAY_MS - HOUR_MS;
        if (timeTrust === "trusted") {
          assert.equal(dueAt, claimed);
          assert.ok(one.startedAt >= (one.emptiedAt ?? one.pairedAt - 28 * DAY_MS));
          const seen = one.offsetMs === null ? undefined : Math.abs(one.offsetMs);
          assert.ok(seen === undefined ? one.declared === "synchronised" : seen <= 5 * MINUTE_MS);
          assert.ok(one.source === "name" || one.source === "container");
        } else {
          const claimsOver = claimed <= ARRIVED;
          assert.equal(timeTrust, claimsOver ? "overdue" : "untrusted");
          const looked = ARRIVED + 72 * HOUR_MS;
          assert.equal(dueAt, claimsOver ? Math.min(looked, fromArrival) : fromArrival);
        }
      }),
    );
  });

  it("is no shorter for a camera whose clock is right than for one whose clock cannot be seen", () => {
    fc.assert(
      fc.property(claims, fc.integer({ min: 0, max: 5 * MINUTE_MS }), (one, offsetMs) => {
        // What a camera that was out no longer than policy allows can have recorded.
        const startedAt = instant(ARRIVED - (one.startedAt % DAY_MS));
        const term = { termMs: one.termDays * DAY_MS, longestUndockedMs: DAY_MS };
        const device = { ...DEVICE, emptiedAt: instant(0) };
        const asked = (seen: number | null) => {
          const clock = { declared: "unknown", offsetMs: seen } as const;
          return judge({ startedAt, source: "name", clock }, device, ARRIVED, term);
        };
        assert.equal(asked(offsetMs).timeTrust, "trusted");
        assert.ok(asked(null).dueAt <= asked(offsetMs).dueAt);
      }),
    );
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
