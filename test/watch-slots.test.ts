import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { instant } from "#base/time";
import { simulatedClock } from "../daemon/demo/simulated-clock.ts";
import { watchSlots } from "../daemon/watch-slots.ts";
import type { UsbDevice } from "../drivers/bodycam/usb-devices.ts";

const NEVER = new AbortController().signal;

const CAMERA: UsbDevice = {
  slot: "0000:00:14.0/2",
  busPath: "1-2",
  bus: 1,
  address: 7,
  vendor: "0b6a",
  product: "1234",
  serial: "BC-0101",
  kind: "disk",
  disks: [],
};

/** Slots that a test plugs into, watched on a clock that the test moves. */
function watched(failing?: Error) {
  const clock = simulatedClock(instant(1_780_000_000_000));
  const stop = new AbortController();
  const usb: { devices: readonly UsbDevice[] | "no-usb"; looks: number; hint: () => void } = {
    devices: [],
    looks: 0,
    hint: () => undefined,
  };
  let heedless = false;
  async function* hints(signal: AbortSignal): AsyncGenerator<void, void, undefined> {
    signal.addEventListener("abort", () => usb.hint());
    while (!signal.aborted) {
      await new Promise<void>((resolve) => {
        usb.hint = resolve;
      });
      if (failing !== undefined) throw failing;
      if (!signal.aborted) yield;
    }
    heedless = true;
  }
  const read = async (): Promise<typeof usb.devices> => {
    usb.looks += 1;
    return usb.devices;
  };
  const slots = watchSlots(clock, read, hints, stop.signal);
  const seen: (readonly UsbDevice[])[] = [];
  const watching = (async () => {
    for await (const devices of slots) seen.push(devices);
  })();
  return { clock, stop, usb, seen, watching, hasEnded: () => heedless };
}

async function ended(one: ReturnType<typeof watched>): Promise<void> {
  one.stop.abort();
  await one.watching;
  assert.ok(one.hasEnded(), "it listens on");
}

describe("watching the slots", () => {
  it("tells what is plugged in at once, and then only what has changed", async () => {
    const one = watched();
    await one.clock.asleep(1);
    assert.deepEqual(one.seen, [[]]);
    for (let minute = 0; minute < 3; minute += 1) await one.clock.pass(60_000, NEVER);
    assert.deepEqual(one.seen, [[]]);
    one.usb.devices = [CAMERA];
    await one.clock.pass(60_000, NEVER);
    one.usb.devices = [{ ...CAMERA, address: 8 }];
    await one.clock.pass(60_000, NEVER);
    assert.deepEqual(one.seen.slice(1), [[CAMERA], [{ ...CAMERA, address: 8 }]]);
    await ended(one);
  });

  it("sees within 30 s what no hint told of, also the last of them going", async () => {
    const one = watched();
    await one.clock.asleep(1);
    one.usb.devices = [CAMERA];
    await one.clock.pass(30_000, NEVER);
    assert.deepEqual(one.seen.at(-1), [CAMERA]);
    one.usb.devices = [];
    await one.clock.pass(30_000, NEVER);
    assert.deepEqual(one.seen.at(-1), []);
    await ended(one);
  });

  it("has nothing plugged in where there is no USB", async () => {
    const one = watched();
    one.usb.devices = "no-usb";
    await one.clock.asleep(1);
    assert.deepEqual(one.seen, [[]]);
    await ended(one);
  });

  it("looks a fifth of a second after a hint, once for a whole flock of them", async () => {
    const one = watched();
    await one.clock.asleep(1);
    one.usb.devices = [CAMERA];
    for (let hint = 0; hint < 20; hint += 1) {
      one.usb.hint();
      await one.clock.asleep(1);
    }
    assert.equal(one.usb.looks, 1);
    await one.clock.pass(200, NEVER);
    assert.equal(one.usb.looks, 2);
    assert.deepEqual(one.seen.at(-1), [CAMERA]);
    await ended(one);
  });

  it("looks some more after a hint, because disks come later, and then as slowly as before", async () => {
    const one = watched();
    await one.clock.asleep(1);
    one.usb.hint();
    await one.clock.asleep(1);
    for (let second = 0; second < 120; second += 1) await one.clock.pass(1000, NEVER);
    // At first; then after 0.2, 1, 1, 2, 4 and 8 s; then three times 30 s.
    assert.equal(one.usb.looks, 1 + 6 + 3);
    await ended(one);
  });

  it("ends quietly, and stops listening, when whoever asked is done with it", async () => {
    const clock = simulatedClock(instant(1_780_000_000_000));
    let stopped = false;
    async function* hints(signal: AbortSignal): AsyncGenerator<void, void, undefined> {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      stopped = true;
      yield* [];
    }
    for await (const _ of watchSlots(clock, async () => [CAMERA], hints, NEVER)) break;
    assert.ok(stopped);
  });

  it("hides no bug of whoever gives the hints, or reads the devices", async () => {
    const one = watched(new TypeError("a bug"));
    await one.clock.asleep(1);
    one.usb.hint();
    await assert.rejects(one.watching, /a bug/);
    const fails = async (): Promise<never> => Promise.reject(new TypeError("another"));
    const slots = watchSlots(one.clock, fails, async function* () {}, NEVER);
    await assert.rejects(slots.next(), /another/);
  });
});
