import { access, readFile } from "node:fs/promises";
import { printableText } from "#base/printable";
import { unlessGone } from "./sysfs.ts";

const USB = "/sys/bus/usb/devices";
/** NETLINK_KOBJECT_UEVENT, as /proc writes it. */
const KERNEL_EVENTS = "15";
/** The first of its groups; what udev makes of it goes to the second. */
const FROM_KERNEL = 1;

/**
 * Yields when something was plugged in or pulled out: a hint to look at sysfs, which may be missed, doubled or
 * early, because disks come some seconds after their device. Where there can be no hints, says once why
 * (English, for the journal) and waits: whoever listens looks on a slow tick as well. Ends when the signal
 * aborts; never throws.
 */
export async function* usbHints(
  refused: (why: string) => void,
  signal: AbortSignal,
): AsyncGenerator<void, void, undefined> {
  let hint = Promise.withResolvers<void>();
  const stop = (): void => hint.resolve();
  signal.addEventListener("abort", stop, { once: true });
  const listening = await listen(() => hint.resolve());
  const why = listening.why ?? (await whyNoHints());
  if (why !== undefined) refused(why);
  try {
    while (!signal.aborted) {
      await hint.promise;
      if (signal.aborted) return;
      hint = Promise.withResolvers<void>();
      yield;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    await listening.close();
  }
}

interface Listening {
  /** Why it does not listen. */
  readonly why?: string;
  close(): Promise<void>;
}

/**
 * Listens with the native half of the package `usb`. Its public half throws from a timer when it is refused,
 * which ends the process (`uncaughtException`); a thread of its own would contain that, at the cost of
 * 16 MB. Here the same refusal is a promise that rejects.
 */
async function listen(hint: () => void): Promise<Listening> {
  try {
    // Loaded only now: for some processors there is none.
    const { Emitter } = await import("usb/index.js");
    const emitter = new Emitter();
    await emitter.addAttach(hint);
    await emitter.addDetach(hint);
    return {
      async close() {
        await emitter.removeAttach();
        await emitter.removeDetach();
      },
    };
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const why = said.includes("netlink")
      ? "this process may not open a netlink socket (RestrictAddressFamilies=)"
      : `the package usb does not work here: ${printableText(said)}`;
    return { why, close: async () => undefined };
  }
}

/** It listens all the same: USB may come later, and so may udev. */
async function whyNoHints(): Promise<string | undefined> {
  if ((await unlessGone(access(USB).then(() => true))) !== true) return "this kernel has no USB";
  if (await udevListens()) return undefined;
  return "udev does not run, or this process has a network of its own (PrivateNetwork=)";
}

/**
 * Whether somebody in this network namespace is told of devices by the kernel, which is udev's work: what udev
 * tells goes to no other namespace, and nothing fails there.
 */
async function udevListens(): Promise<boolean> {
  const sockets = (await unlessGone(readFile("/proc/self/net/netlink", "latin1"))) ?? "";
  return sockets.split("\n").some((line) => {
    const [, protocol, , groups = ""] = line.split(/ +/);
    return protocol === KERNEL_EVENTS && (Number.parseInt(groups, 16) & FROM_KERNEL) !== 0;
  });
}
