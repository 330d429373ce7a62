import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { parseDeviceId } from "#base/ids";
import { type Instant, instant } from "#base/time";
import {
  after,
  type Counted,
  freeSlot,
  type Happening,
  NEXT,
  type Slot,
  type SlotState,
} from "../daemon/docks/slot-state.ts";
import { SLOT_WHYS } from "../daemon/docks/slot-why.ts";

const docking = fc.constantFrom("A", "B", "C");
const why = fc.constantFrom(...SLOT_WHYS);
const count: fc.Arbitrary<Counted> = fc
  .tuple(fc.nat(4), fc.nat(4), fc.nat(4))
  .map((sizes) => sizes.toSorted((a, b) => a - b))
  .map(([adopted = 0, filesDone = 0, files = 0]) => ({
    files,
    filesDone,
    adopted,
    bytes: files * 10,
    bytesDone: filesDone * 10,
  }));

const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ kind: fc.constant("seen" as const), docking }),
  fc.record({
    kind: fc.constant("recognised" as const),
    docking,
    number: fc.constantFrom(parseDeviceId("bc-0101"), parseDeviceId("bc-0102")),
  }),
  fc.record({
    kind: fc.constant("counted" as const),
    docking,
    counted: count,
    whole: fc.boolean(),
    left: fc.option(why, { freq: 4 }),
  }),
  fc.record({ kind: fc.constant("delayed" as const), docking, why }),
  fc.record({ kind: fc.constant("failed" as const), docking, why }),
  fc.record({
    kind: fc.constant("kept" as const),
    docking,
    hoursFree: fc.option(fc.nat(90)),
    why: fc.option(why),
  }),
  fc.record({ kind: fc.constant("gone" as const), docking }),
  fc.record({ kind: fc.constant("lost" as const), docking, as: docking }),
);

/** Sees each step that a slot makes in whatever happens. */
function always(holds: (before: Slot, happened: Happening, now: Slot, at: Instant) => void): void {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 40 }), (all) => {
      let slot = freeSlot(instant(0));
      all.forEach((one, index) => {
        const at = instant(index + 1);
        const next = after(slot, one, at);
        holds(slot, one, next, at);
        slot = next;
      });
    }),
    { numRuns: 2000 },
  );
}

const isReady = ({ state }: Slot): boolean => state === "safe" || state === "done";

describe("the state of a slot", () => {
  it("says that a camera may go only after a whole look that left nothing and found all adopted", () => {
    always((before, happened, now) => {
      if (!isReady(now) || isReady(before)) return;
      assert.ok(happened.kind === "counted" && happened.whole && happened.left === null);
      assert.equal(now.adopted, now.files);
    });
  });

  it("stays ready only while every file that was seen is adopted, and is empty when it says so", () => {
    always((_, __, now) => {
      if (isReady(now)) assert.equal(now.adopted, now.files);
      if (now.state === "done") assert.equal(now.files, 0);
      if (now.state === "safe") assert.ok(now.files > 0);
    });
  });

  it("is changed by nothing that comes late, of a docking that is over", () => {
    always((before, happened, now) => {
      if (happened.kind !== "seen" && happened.docking !== before.docking)
        assert.equal(now, before);
    });
  });

  it("is free after a camera is gone, and begins anew with the next one: nothing of it is left", () => {
    always((before, happened, now, at) => {
      if (happened.kind === "gone" && happened.docking === before.docking)
        assert.deepEqual(now, freeSlot(at));
      if (happened.kind === "seen" && happened.docking !== before.docking) {
        const { docking: is, state, why: reason, ...rest } = now;
        const { docking: _, state: __, why: ___, ...nothing } = freeSlot(at);
        assert.deepEqual(
          [is, state, reason, rest],
          [happened.docking, "busy", "recognising", nothing],
        );
      }
    });
  });

  it("is not free, and nobody is told that a camera may go, while what a card was in is still there", () => {
    always((before, happened, now) => {
      if (happened.kind !== "lost" || happened.docking !== before.docking) return;
      assert.deepEqual([now.state, now.why, now.docking], ["busy", "card-gone", happened.as]);
      assert.deepEqual([now.files, now.readySince, now.number], [0, null, before.number]);
    });
  });

  it("goes only where the table lets it go, and keeps the moment at which it did", () => {
    always((before, happened, now, at) => {
      const next: readonly SlotState[] = NEXT[before.state];
      const replaced =
        (happened.kind === "seen" && happened.docking !== before.docking) ||
        (happened.kind === "lost" && happened.docking === before.docking);
      if (now.state !== before.state && !replaced) {
        assert.ok(next.includes(now.state), `${before.state} to ${now.state}`);
        assert.equal(now.since, at);
      } else if (!replaced) assert.equal(now.since, before.since);
    });
  });

  it("knows since when a camera may go: once, whether it was wiped since or not", () => {
    always((before, _, now, at) => {
      assert.equal(now.readySince !== null, isReady(now));
      if (isReady(now)) assert.equal(now.readySince, isReady(before) ? before.readySince : at);
    });
  });

  it("has a reason wherever somebody has to wait, or to call for help", () => {
    always((_, __, now) => {
      if (now.state === "busy" || now.state === "failed") assert.notEqual(now.why, null);
      if (now.state === "free") assert.equal(now.why, null);
    });
  });

  it("does not flicker while the same file fails again and again", () => {
    const counted = { files: 2, filesDone: 1, adopted: 1, bytes: 20, bytesDone: 10 };
    const look = { kind: "counted", docking: "A", counted } as const;
    let slot = after(freeSlot(instant(0)), { kind: "seen", docking: "A" }, instant(1));
    const seen: SlotState[] = [];
    for (let at = 2; at < 8; at += 1) {
      const whole = at % 2 === 1;
      slot = after(slot, { ...look, whole, left: whole ? "card-unread" : null }, instant(at));
      seen.push(slot.state);
    }
    assert.deepEqual(seen, ["busy", "failed", "failed", "failed", "failed", "failed"]);
  });
});
