import assert from "node:assert/strict";
import { utimes } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "mocha";
import { BewaardError } from "#base/errors";
import { MINUTE_MS } from "#base/time";
import type { Ask } from "../daemon/control/client.ts";
import { READ } from "../daemon/control/protocol.ts";
import { dockCore } from "../daemon/docks/ask-core.ts";
import { cardRecordOf } from "./fakes/card-records.ts";
import { inlinePool } from "./fakes/inline-pool.ts";
import { rowsOf } from "./fakes/medium.ts";
import { named, openRig, START } from "./fakes/rig.ts";
import { type FakeSlots, openFakeSlots, writeFileOf } from "./fakes/slots.ts";
import { WELL } from "./fakes/well.ts";

const SLOT = "0000:00:14.0/2.1";
const SETS = { set_time: { path: "TIME.TXT" } };
const SETTING = { why: "setting-clock", over: false } as const;
const SET = { why: null, over: true } as const;

async function openSlots(more: Parameters<typeof openFakeSlots>[2] = SETS) {
  const rig = await openRig({ pool: inlinePool() });
  const slots = await openFakeSlots(rig, undefined, more);
  await slots.pair("bc-0101");
  return {
    rig,
    slots,
    async [Symbol.asyncDispose]() {
      await slots[Symbol.asyncDispose]();
      await rig[Symbol.asyncDispose]();
    },
  };
}

async function dockOne(slots: FakeSlots): Promise<void> {
  await writeFileOf(join(slots.media, "sdb1"), named(0), "een");
  await slots.plug(SLOT, "sdb1", "bc-0101");
}

const whyAt = (slots: FakeSlots): string | null => slots.board.read(SLOT).why;

describe("a camera in a slot whose clock can be set", () => {
  it("is safe all the same where core refuses to have its clock set, and somebody is told", async () => {
    await using open = await openSlots();
    const { rig, slots } = open;
    slots.answerClock(async () => {
      throw new BewaardError("CONFIG_MISSING", "there is no such profile");
    });
    await dockOne(slots);
    assert.ok(await slots.until(() => slots.state(SLOT) === "safe"));
    assert.ok(await slots.until(() => whyAt(slots) === "clock-not-set"));
    await slots.until(() => false, 60);
    assert.equal(slots.state(SLOT), "safe");
    assert.ok(!rig.said.includes("slot-failed"));
  });

  it("has it set once all is adopted, before its card is wiped, and is not called safe meanwhile", async () => {
    await using open = await openSlots();
    const { rig, slots } = open;
    let wipesThen = -1;
    slots.answerClock(async () => {
      wipesThen = slots.wipes.length;
      return slots.clocks.length < 3 ? SETTING : SET;
    });
    await dockOne(slots);
    assert.ok(await slots.until(() => whyAt(slots) === "setting-clock"));
    assert.equal(slots.state(SLOT), "busy");
    assert.ok(rig.said.includes("sealed"));
    assert.equal(slots.board.read(SLOT).adopted, 1);
    assert.ok(await slots.until(() => slots.state(SLOT) === "safe"));
    assert.ok(await slots.until(() => slots.wipes.length > 2));
    assert.equal(wipesThen, 0, "asked before any wipe");
    assert.equal(slots.clocks.length, 3, "asked no more once it is set");
  });

  it("has it set again while it stays, as often as its profile says, with no offset: nobody measured it since", async () => {
    const again = 2 * MINUTE_MS;
    for (const [set_time, most] of [
      [{ ...SETS.set_time, again }, 3],
      [SETS.set_time, 1],
    ] as const) {
      await using open = await openSlots({ set_time });
      const { slots } = open;
      slots.answerClock(async () => SET);
      await dockOne(slots);
      assert.ok(await slots.until(() => slots.clocks.length > 0));
      assert.ok(!(await slots.until(() => slots.clocks.length > 1, 110)));
      await slots.until(() => slots.clocks.length > 2, 280);
      assert.equal(slots.clocks.length, most);
      assert.ok(slots.clocks.slice(1).every(({ offsetMs }) => offsetMs === null));
      assert.equal(slots.state(SLOT), "safe");
    }
  });

  it("is safe after 20 seconds all the same, and says what its clock lacks", async () => {
    await using open = await openSlots();
    const { slots } = open;
    slots.answerClock(async () => SETTING);
    await dockOne(slots);
    assert.ok(await slots.until(() => slots.state(SLOT) === "safe", 60));
    assert.ok(await slots.until(() => slots.wipes.length > 0));
    assert.equal(whyAt(slots), "setting-clock");
    slots.answerClock(async () => ({ why: "clock-not-set", over: false }));
    assert.ok(await slots.until(() => whyAt(slots) === "clock-not-set"));
    assert.equal(slots.state(SLOT), "safe");
  });

  it("says so as well when it is empty", async () => {
    await using open = await openSlots();
    const { slots } = open;
    slots.answerClock(async () => ({ why: "clock-not-set", over: false }));
    await writeFileOf(join(slots.media, "sdb1"), "TIME.TXT", "own");
    await slots.plug(SLOT, "sdb1", "bc-0101");
    assert.ok(await slots.until(() => slots.state(SLOT) === "done"));
    assert.ok(await slots.until(() => whyAt(slots) === "clock-not-set"));
  });

  it("is asked for with the offset of before, and never where its profile names no file", async () => {
    const clock_file = { path: "LOG/usb.log", kind: "modified" } as const;
    await using open = await openSlots({ ...SETS, clock_file, file_times: "utc" });
    const card = join(open.slots.media, "sdb1");
    const aMinuteSlow = START / 1000 - 60;
    for (const name of ["LOG/usb.log", named(-2)]) {
      await writeFileOf(card, name, "een");
      await utimes(join(card, name), aMinuteSlow, aMinuteSlow);
    }
    await open.slots.plug(SLOT, "sdb1", "bc-0101");
    assert.ok(await open.slots.until(() => open.slots.clocks.length > 0));
    const offset = open.slots.clocks[0]?.offsetMs ?? 0;
    assert.ok(offset <= -60_000 && offset > -70_000, `${offset}`);
    await using without = await openSlots({ set_time: null });
    await dockOne(without.slots);
    assert.ok(await without.slots.until(() => without.slots.wipes.length > 1));
    assert.deepEqual(without.slots.clocks, []);
    assert.equal(open.slots.clocks[0]?.docking, open.slots.board.read(SLOT).docking);
  });

  it("is not measured by a moment of another clock: this box's was set since the card was mounted", async () => {
    const clock_file = { path: "LOG/usb.log", kind: "modified" } as const;
    await using open = await openSlots({ clock_file, file_times: "utc" });
    const card = join(open.slots.media, "sdb1");
    for (const name of ["LOG/usb.log", named(-2)]) {
      await writeFileOf(card, name, "een");
      await utimes(join(card, name), START / 1000, START / 1000);
    }
    await open.slots.plug(SLOT, "sdb1", "bc-0101", { at: "2025-01-01T00:00:00.000Z" });
    assert.ok(await open.slots.until(() => open.slots.state(SLOT) === "safe"));
    const rows = await rowsOf(open.rig, "select clock_offset_ms as ms from segment");
    assert.deepEqual(
      rows.map((row) => row["ms"]),
      [null, null],
    );
    assert.ok(!open.rig.said.includes("bodycam-clock"));
  });

  it("that is pulled out while it is set was not taken out too early: all of it is kept", async () => {
    await using open = await openSlots();
    const { rig, slots } = open;
    slots.answerClock(async () => SETTING);
    await dockOne(slots);
    assert.ok(await slots.until(() => whyAt(slots) === "setting-clock"));
    slots.pull(SLOT);
    assert.ok(await slots.until(() => slots.state(SLOT) === "free"));
    assert.ok(!rig.said.includes("undocked-early"));
  });

  it("waits for core that is away, and is safe in the end", async () => {
    await using open = await openSlots();
    const { slots } = open;
    slots.answerClock(async () => {
      if (slots.clocks.length > 2) return SET;
      throw new BewaardError("CONTROL_UNREACHABLE", "away", { transient: true });
    });
    await dockOne(slots);
    assert.ok(await slots.until(() => slots.state(SLOT) === "safe"));
  });
});

describe("a camera that says that it is another than it looks like", () => {
  it("has nothing read or written, no wipe and no clock, and its slot says why (DH-01)", async () => {
    await using rig = await openRig({ pool: inlinePool() });
    const ask: Ask = async (method) =>
      READ[method](method === "bodycams.identify" ? { is: "another" } : WELL);
    const identity = { file: "MISC/id.txt", pattern: ".*" };
    await using slots = await openFakeSlots(rig, ask, { ...SETS, identity });
    await slots.pair("bc-0101");
    await writeFileOf(join(slots.media, "sdb1"), "MISC/id.txt", "C-2");
    await dockOne(slots);
    assert.ok(await slots.until(() => slots.state(SLOT) === "failed"));
    assert.equal(whyAt(slots), "same-identity");
    await slots.until(() => false, 120);
    assert.deepEqual([slots.clocks, slots.wipes], [[], []]);
    assert.ok(!rig.said.includes("sealed"));
  });
});

describe("what core says of a clock", () => {
  it("is told to people at the slot", async () => {
    const said = async (state: string, why: string | null) => {
      const ask: Ask = async (method) =>
        READ[method](method === "docks.set-time" ? { state, why } : WELL);
      const record = cardRecordOf({ name: "sdb1", media: "/media" });
      return dockCore(ask).setTime({ docking: "D", record, offsetMs: null });
    };
    assert.deepEqual(await said("none", null), SET);
    assert.deepEqual(await said("done", null), SET);
    assert.deepEqual(await said("open", null), SETTING);
    assert.deepEqual(await said("failed", "no-folder"), { why: "clock-not-set", over: false });
    assert.deepEqual(await said("later", "clock"), { why: "clock-not-set-now", over: false });
    assert.deepEqual(await said("later", "other-order"), { why: null, over: false });
  });
});
