import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { describe } from "mocha";
import { readUsbDevices } from "../drivers/bodycam/usb-devices.ts";
import { usbHints } from "../drivers/bodycam/usb-hints.ts";
import { itWithOwnUsb, type OwnUdev, startUdev, whyNoOwnUsb } from "./fakes/own-usb.ts";
import { until } from "./fakes/until.ts";
import { DESCRIPTORS, usbTree } from "./fakes/usb-tree.ts";

const CONTROLLER = "0000:00:14.0";
const PATH = `/devices/pci0000:00/${CONTROLLER}/usb1/1-2`;
const EVENTS_OF_THE_KERNEL = 15;

const why = whyNoOwnUsb();
if (why !== undefined) {
  process.stderr.write(`LEFT OUT: the tests of USB hints need namespaces: ${why}\n`);
}

/** Sockets in this namespace, which is ours alone, that listen to the kernel or to udev. */
async function listeners(to: "kernel" | "udev"): Promise<number> {
  const table = (await readFile("/proc/self/net/netlink", "latin1")).split("\n");
  return table.filter((line) => {
    const [, protocol, , groups] = line.split(/ +/);
    const group = to === "kernel" ? "00000001" : "00000002";
    return Number(protocol) === EVENTS_OF_THE_KERNEL && groups === group;
  }).length;
}

async function runUdev(): Promise<OwnUdev> {
  const udev = startUdev();
  await until(async () => (await listeners("kernel")) === 1);
  return udev;
}

(why === undefined ? describe : leftOut)("hints of USB", () => {
  itWithOwnUsb(
    import.meta.url,
    "come with each plug and each pull, and from nothing else",
    "given",
    async () => {
      const usb = await usbTree("/sys");
      await usb.bus(1, CONTROLLER);
      await using udev = await runUdev();
      const said: string[] = [];
      const stop = new AbortController();
      const hints = usbHints((one) => said.push(one), stop.signal);
      for (const address of [7, 8]) {
        const plugged = hints.next();
        await until(async () => (await listeners("udev")) === 1);
        await usb.plug({ at: "1-2", address, serial: "BC-0101" });
        udev.tell("add", PATH, 1, address);
        assert.deepEqual(await plugged, { done: false, value: undefined });
        const pulled = hints.next();
        await usb.unplug("1-2");
        udev.tell("remove", PATH, 1, address);
        assert.deepEqual(await pulled, { done: false, value: undefined });
      }
      const quiet = hints.next();
      stop.abort();
      assert.deepEqual(await quiet, { done: true, value: undefined });
      await until(async () => (await listeners("udev")) === 0);
      assert.deepEqual(said, []);
    },
  );

  itWithOwnUsb(
    import.meta.url,
    "come when a camera is there to be looked at",
    "given",
    async () => {
      const usb = await usbTree("/sys");
      await usb.bus(1, CONTROLLER);
      await using udev = await runUdev();
      const stop = new AbortController();
      const hints = usbHints(assert.fail, stop.signal);
      const plugged = hints.next();
      await until(async () => (await listeners("udev")) === 1);
      await usb.plug({ at: "1-2", serial: "BC-0101" });
      udev.tell("add", PATH, 1, 7);
      assert.equal((await plugged).done, false);
      const seen = await readUsbDevices();
      assert.ok(seen !== "no-usb");
      assert.deepEqual(
        seen.map(({ serial }) => serial),
        ["BC-0101"],
      );
      stop.abort();
      await hints.return();
    },
  );

  itWithOwnUsb(
    import.meta.url,
    "still come after devices that say the worst of themselves",
    "given",
    async () => {
      const usb = await usbTree("/sys");
      await usb.bus(1, CONTROLLER);
      await using udev = await runUdev();
      const stop = new AbortController();
      const hints = usbHints(assert.fail, stop.signal);
      const first = hints.next();
      await until(async () => (await listeners("udev")) === 1);
      const folder = `/sys${PATH}`;
      const zeros = Buffer.alloc(40);
      for (let length = 0; length <= DESCRIPTORS.length; length += 1) {
        await usb.plug({ at: "1-2", address: 7, serial: DESCRIPTORS.subarray(0, length) });
        const cut = DESCRIPTORS.subarray(0, length);
        const filled = Buffer.concat([cut, length % 2 === 0 ? zeros : zeros.fill(0xff)]);
        await writeFile(`${folder}/descriptors`, length % 3 === 0 ? cut : filled);
        const odd = ["speed", "version", "bcdDevice", "busnum", "bDeviceClass"][length % 5];
        if (length % 4 === 0) await writeFile(`${folder}/${odd}`, filled);
        udev.tell("add", PATH, 1, 7);
        await readUsbDevices();
        await usb.unplug("1-2");
        udev.tell("remove", PATH, 1, 7);
        // Coming and going may be one hint, and whoever asked before them is given it.
        await (length === 0 ? first : hints.next());
      }
      // Of those above at most one is still to be taken.
      for (const address of [97, 98, 99]) {
        await usb.plug({ at: "1-2", address });
        const plugged = hints.next();
        udev.tell("add", PATH, 1, address);
        assert.deepEqual(await plugged, { done: false, value: undefined });
        await usb.unplug("1-2");
      }
      assert.equal(await listeners("udev"), 1);
      stop.abort();
      await hints.return();
    },
  );

  itWithOwnUsb(
    import.meta.url,
    "are said once to be refused, and nothing else fails",
    "refused",
    async () => {
      const usb = await usbTree("/sys");
      await usb.bus(1, CONTROLLER);
      await usb.plug({ at: "1-2", serial: "BC-0101" });
      const said: string[] = [];
      const stop = new AbortController();
      const hints = usbHints((one) => said.push(one), stop.signal);
      const next = hints.next();
      await until(async () => said.length > 0);
      assert.equal((await readUsbDevices()).length, 1);
      stop.abort();
      assert.deepEqual(await next, { done: true, value: undefined });
      assert.deepEqual(said, [
        "this process may not open a netlink socket (RestrictAddressFamilies=)",
      ]);
    },
  );

  for (const [title, missing, text] of [
    ["where the kernel has no USB", "usb", "this kernel has no USB"],
    [
      "where udev does not run",
      "udev",
      "udev does not run, or this process has a network of its own (PrivateNetwork=)",
    ],
  ] as const) {
    itWithOwnUsb(
      import.meta.url,
      `are said to be missing ${title}, and come once it is there`,
      "given",
      async () => {
        await using running = new AsyncDisposableStack();
        const early = missing === "usb" ? running.use(await runUdev()) : undefined;
        if (missing === "udev") await (await usbTree("/sys")).bus(1, CONTROLLER);
        const said: string[] = [];
        const stop = new AbortController();
        const hints = usbHints((one) => said.push(one), stop.signal);
        const plugged = hints.next();
        await until(async () => said.length > 0);
        const usb = await usbTree("/sys");
        await usb.bus(1, CONTROLLER);
        await usb.plug({ at: "1-2" });
        const udev = early ?? running.use(await runUdev());
        udev.tell("add", PATH, 1, 7);
        assert.deepEqual(await plugged, { done: false, value: undefined });
        stop.abort();
        await hints.return();
        assert.deepEqual(said, [text]);
      },
    );
  }
});

function leftOut(): void {}
