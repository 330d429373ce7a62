import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readUsbDevices } from "../../drivers/bodycam/usb-devices.ts";
import { temporaryFolder } from "./folder.ts";
import { writeSysfs } from "./recorded-sysfs.ts";

/** What a recording of /sys says is docked, by serial, but for what the kernel numbers anew each time. */
export async function dockedIn(recording: string): Promise<readonly unknown[]> {
  await using folder = await temporaryFolder();
  await writeSysfs(folder.path, recording);
  const devices = await readUsbDevices(folder.path, join(folder.path, "udev"));
  assert.ok(devices !== "no-usb");
  return devices
    .toSorted((one, other) => String(one.serial).localeCompare(String(other.serial)))
    .map(({ slot, vendor, product, serial, kind, disks }) => ({
      serial,
      slot,
      id: `${vendor}:${product}`,
      kind,
      disks: disks.map(({ bytes, readOnly, partitions }) => {
        return { bytes, readOnly, partitions: partitions.map((one) => one.bytes) };
      }),
    }));
}

/** Recorded of Debian 13's kernel by test/vm/record-docked.ts. */
export async function fiveCameras(): Promise<string> {
  return readFile(new URL("sysfs/five-cameras.txt", import.meta.url), "utf8");
}

const MIB = 1024 * 1024;
const DISK = { id: "46f4:0001", kind: "disk" };
const XHCI = "0000:00:01.0";

function sized(mib: number, partitions: readonly number[], readOnly = false) {
  return [{ bytes: mib * MIB, readOnly, partitions: partitions.map((one) => one * MIB) }];
}

/**
 * The cameras that `fiveCameras` was recorded of: two in sockets of USB 3, whose slots have the name of their USB 2 side, one in
 * a socket of USB 2, one behind a hub, and one that speaks MTP. The second has no partition table, the fourth is write-protected.
 */
export const FIVE_CAMERAS = [
  { ...DISK, serial: "BC-0001", slot: `${XHCI}/3`, disks: sized(64, [63]) },
  { ...DISK, serial: "BC-0002", slot: "0000:00:02.0/4", disks: sized(48, []) },
  { ...DISK, serial: "BC-0003", slot: `${XHCI}/2.3`, disks: sized(49, [48]) },
  { ...DISK, serial: "BC-0004", slot: `${XHCI}/5`, disks: sized(50, [49], true) },
  { id: "46f4:0004", kind: "mtp", serial: "BC-0005", slot: `${XHCI}/6`, disks: [] },
];
