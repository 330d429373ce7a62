import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createLogger } from "winston";
import { systemClock } from "#base/system-clock";
import { SECOND_MS } from "#base/time";
import { simulatedClock } from "../daemon/demo/simulated-clock.ts";
import type { DockCore } from "../daemon/docks/dock-core.ts";
import type { SlotDevice } from "../daemon/docks/join-slots.ts";
import { runSlots } from "../daemon/docks/run-slots.ts";
import { openSlotBoard } from "../daemon/docks/slot-board.ts";
import { openEvents } from "../daemon/events.ts";
import { NEVER, START } from "./fakes/rig.ts";

const SLOT = "0000:00:14.0/2";
const CORE: DockCore = {
  pairings: async () => [],
  news: async () => undefined,
  wipe: async () => null,
  setTime: async () => assert.fail("nothing here has a clock"),
};

/** Slots without a card, and how often they are looked at. */
async function openLooked() {
  const clock = simulatedClock(START);
  const board = openSlotBoard(clock, () => undefined);
  const stop = new AbortController();
  let devices: readonly SlotDevice[] = [];
  let looks = 0;
  let hint = Promise.withResolvers<void>();
  const ground = {
    devices: async () => ((looks += 1), devices),
    records: async () => [],
    async *hints(signal: AbortSignal) {
      signal.addEventListener("abort", () => hint.resolve(), { once: true });
      while (!signal.aborted) {
        await hint.promise;
        hint = Promise.withResolvers<void>();
        if (!signal.aborted) yield;
      }
    },
  };
  const never = async () => assert.fail("nothing here has a card");
  const events = openEvents(createLogger({ silent: true }));
  const running = runSlots(clock, events, CORE, ground, never, board, stop.signal);
  return {
    state: () => board.read(SLOT).state,
    plug: (address: number) => {
      const is = { vendor: "0b6a", product: "1234", serial: "SN-1", kind: "disk" } as const;
      devices = [{ slot: SLOT, bus: 1, address, ...is }];
    },
    pull: () => void (devices = []),
    async hint() {
      hint.resolve();
      await systemClock.sleep(1, NEVER);
    },
    /** Lets time pass; returns how often was looked meanwhile. */
    async pass(seconds: number): Promise<number> {
      const before = looks;
      for (let second = 0; second < seconds; second += 1) {
        await clock.pass(SECOND_MS, NEVER);
        await systemClock.sleep(1, NEVER);
      }
      return looks - before;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

describe("empty slots", () => {
  it("are looked at each two seconds where no hint ever came", async () => {
    await using slots = await openLooked();
    const looks = await slots.pass(60);
    assert.ok(looks >= 25 && looks <= 32, `${looks}`);
  });

  it("are looked at each ten seconds once a hint told of a camera, and at once at the next hint", async () => {
    await using slots = await openLooked();
    slots.plug(1);
    await slots.hint();
    assert.equal(slots.state(), "busy");
    slots.pull();
    await slots.pass(3);
    assert.equal(slots.state(), "free");
    const looks = await slots.pass(60);
    assert.ok(looks >= 5 && looks <= 8, `${looks}`);
    slots.plug(2);
    await slots.hint();
    assert.equal(slots.state(), "busy");
  });

  it("are looked at each two seconds again once a camera came and no hint", async () => {
    await using slots = await openLooked();
    slots.plug(1);
    await slots.hint();
    slots.pull();
    await slots.pass(3);
    slots.plug(2);
    await slots.pass(12);
    assert.equal(slots.state(), "busy");
    slots.pull();
    await slots.pass(3);
    const looks = await slots.pass(60);
    assert.ok(looks >= 25 && looks <= 32, `${looks}`);
  });
});
