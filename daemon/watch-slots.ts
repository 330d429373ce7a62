import { type Clock, SECOND_MS } from "#base/time";
import { sleepOrHint } from "../drivers/bodycam/look-again.ts";
import type { UsbDevice } from "../drivers/bodycam/usb-devices.ts";

const LOOK_EVERY_MS = 30 * SECOND_MS;
/** Devices come in flocks, a hub and what is in it: one look for all of them, and never more than five a second. */
const SETTLE_MS = 200;
/** A hint tells of the device; its disk was seen to come 0.7 to 2.2 s later, on a busy machine later still. */
const LOOK_AFTER_MS = [1, 1, 2, 4, 8].map((seconds) => seconds * SECOND_MS);

/**
 * Yields what is plugged in, at once and then whenever it has changed, until the signal aborts. Hints only say
 * when to look, so a missed one costs 30 s at most. Where there is no USB, nothing is plugged in.
 */
export async function* watchSlots(
  clock: Clock,
  readDevices: () => Promise<readonly UsbDevice[] | "no-usb">,
  hints: (signal: AbortSignal) => AsyncIterable<void>,
  signal: AbortSignal,
): AsyncGenerator<readonly UsbDevice[], void, undefined> {
  const looks = lookTimes(clock, hints, signal);
  let shown: string | undefined;
  for await (const _ of looks) {
    const read = await readDevices();
    const devices = read === "no-usb" ? [] : read;
    const now = JSON.stringify(devices);
    if (now !== shown) yield devices;
    shown = now;
  }
}

/** When to look: at once, each 30 s, and some times after each hint. */
async function* lookTimes(
  clock: Clock,
  hints: (signal: AbortSignal) => AsyncIterable<void>,
  parent: AbortSignal,
): AsyncGenerator<void, void, undefined> {
  const stop = new AbortController();
  const signal = AbortSignal.any([parent, stop.signal]);
  const heard: Heard = { hint: Promise.withResolvers(), any: false };
  const listening = heed(hints(signal), heard);
  let quietLooks = LOOK_AFTER_MS.length;
  try {
    while (!signal.aborted) {
      // Before the look, not after it: what is plugged in meanwhile hints again.
      heard.hint = Promise.withResolvers();
      heard.any = false;
      yield;
      const waitMs = LOOK_AFTER_MS[quietLooks] ?? LOOK_EVERY_MS;
      await sleepOrHint(clock, waitMs, heard.hint.promise, signal);
      if (heard.failure !== undefined) throw heard.failure.error;
      quietLooks = heard.any ? 0 : quietLooks + 1;
      if (heard.any) await sleepOrHint(clock, SETTLE_MS, new Promise(() => undefined), signal);
    }
  } finally {
    stop.abort();
    await listening;
  }
}

interface Heard {
  hint: PromiseWithResolvers<void>;
  any: boolean;
  failure?: { readonly error: unknown };
}

/** Beside the looks: a hint is noted at once, also while somebody is busy with what the last look found. */
async function heed(hints: AsyncIterable<void>, heard: Heard): Promise<void> {
  try {
    for await (const _ of hints) {
      heard.any = true;
      heard.hint.resolve();
    }
  } catch (error) {
    heard.failure = { error };
    heard.hint.resolve();
  }
}
