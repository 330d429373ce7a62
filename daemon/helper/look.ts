import { systemCode } from "#base/errors";
import { readUsbDevices, type UsbDevice } from "../../drivers/bodycam/usb-devices.ts";
import type { Disk, Partition } from "../../drivers/bodycam/usb-disks.ts";
import { MTP_NAME } from "../orders/disk-name.ts";
import type { Mounts } from "./mounts.ts";
import type { HelperPlaces } from "./places.ts";
import { parseVolume, SECTOR_BYTES, type Volume } from "./volume.ts";

/** A disk of a USB device, or a partition of one, as sysfs shows it now. */
export interface Found {
  readonly usb: UsbDevice;
  readonly disk: Disk;
  /** The disk itself where it has no partition table. */
  readonly part: Partition;
}

/** Undefined for what is not on USB, or has gone. */
export async function findPart(places: HelperPlaces, name: string): Promise<Found | undefined> {
  const devices = await readUsbDevices(places.sys);
  for (const usb of devices === "no-usb" ? [] : devices) {
    for (const disk of usb.disks) {
      const part = [disk, ...disk.partitions].find((one) => one.name === name);
      if (part !== undefined) return { usb, disk, part };
    }
  }
  return undefined;
}

/** What speaks MTP, as sysfs shows it now. */
interface FoundMtp {
  readonly usb: UsbDevice;
  /** `189:4`: of the USB device itself. */
  readonly device: string;
}

/** Undefined for what is no media device, is a disk as well, or has gone. */
export async function findMtp(places: HelperPlaces, name: string): Promise<FoundMtp | undefined> {
  const devices = await readUsbDevices(places.sys);
  const usb = (devices === "no-usb" ? [] : devices).find((one) => mtpNameOf(one) === name);
  if (usb?.kind !== "mtp") return undefined;
  // As the kernel numbers them (drivers/usb/core/hub.c).
  return { usb, device: `189:${(usb.bus - 1) * 128 + usb.address - 1}` };
}

function mtpNameOf({ bus, address }: UsbDevice): string {
  return `mtp-${[bus, address].map((one) => String(one).padStart(3, "0")).join("-")}`;
}

/** Where a card is now, and its number, whichever way it is read. */
export async function findCard(places: HelperPlaces, name: string): Promise<FoundMtp | undefined> {
  if (isMtp(name)) return findMtp(places, name);
  const found = await findPart(places, name);
  return found && { usb: found.usb, device: found.part.device };
}

export function isMtp(name: string): boolean {
  return MTP_NAME.test(name);
}

/**
 * What the first sector says; undefined where it is no file system known here, or cannot be read.
 * @throws BewaardError CARD_MOUNT (transient) when it is another device by now.
 */
export async function readVolume(
  mounts: Mounts,
  name: string,
  device: string,
): Promise<Volume | undefined> {
  try {
    await using file = await mounts.open(name, device);
    const sector = Buffer.alloc(SECTOR_BYTES);
    const { bytesRead } = await file.read(sector, 0, SECTOR_BYTES, 0);
    return parseVolume(sector.subarray(0, bytesRead));
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
