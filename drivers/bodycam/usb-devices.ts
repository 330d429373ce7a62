import { basename, join } from "node:path";
import { printable } from "#base/printable";
import { slotName } from "./slot-name.ts";
import { folderOf, namesIn, numberOf, textOf, wordOf } from "./sysfs.ts";
import { type Disk, readDisks } from "./usb-disks.ts";

/** What is plugged into a slot. */
export interface UsbDevice {
  /** Controller and port path of the USB2 side, `0000:00:14.0/2.3`: the same after a restart, for both speeds. */
  readonly slot: string;
  /** `1-2.3`, as the kernel calls it until it is pulled out. */
  readonly busPath: string;
  readonly bus: number;
  /** Another one for whatever is plugged in next. */
  readonly address: number;
  /** Four hexadecimal digits, as is the product. */
  readonly vendor: string;
  readonly product: string;
  /**
   * What the device says its serial number is, as `printable` shows it: the device may say anything, also what
   * steers a terminal. Undefined when it says nothing.
   */
  readonly serial: string | undefined;
  readonly kind: "disk" | "mtp" | "other";
  /** None yet just after plugging in: they come some seconds later. */
  readonly disks: readonly Disk[];
}

interface Seen {
  readonly folder: string;
  readonly device: Omit<UsbDevice, "disks">;
}

const DEVICE = /^(\d+)-\d+(?:\.\d+)*$/;
const HUB = "09";
const STORAGE = "08";
const VENDOR_SPECIFIC = "ff";
/** "Still imaging", which MTP has as well: USB class 06, subclass 01, protocol 01. */
const IMAGING = "060101";

/**
 * What is plugged in at this moment, by sysfs alone: hubs and controllers left out, whatever is pulled out
 * while we look left out whole. "no-usb" when this kernel has none, or not yet.
 */
export async function readUsbDevices(
  sys = "/sys",
  udev = "/run/udev",
): Promise<readonly UsbDevice[] | "no-usb"> {
  const folder = join(sys, "bus/usb/devices");
  const names = namesIn(folder);
  if (names === undefined) return "no-usb";
  const seen: Seen[] = [];
  for (const name of names.filter((one) => DEVICE.test(one))) {
    const one = await readDevice(join(folder, name), udev);
    if (one !== undefined) seen.push(one);
  }
  // Asked between two looks at the devices: so no disk is taken for that of another device in the same place.
  const disks = readDisks(sys);
  const found: UsbDevice[] = [];
  for (const { folder: at, device } of seen) {
    if (numberOf(join(at, "devnum")) !== device.address) continue;
    found.push(withDisks(at, device, disks));
  }
  return found;
}

async function readDevice(link: string, udev: string): Promise<Seen | undefined> {
  const folder = folderOf(link);
  if (folder === undefined) return undefined;
  const address = numberOf(join(folder, "devnum"));
  const vendor = wordOf(join(folder, "idVendor"));
  const product = wordOf(join(folder, "idProduct"));
  const slot = slotName(folder);
  const ofClass = wordOf(join(folder, "bDeviceClass"));
  if (ofClass === HUB || address === undefined || slot === undefined) return undefined;
  if (!isId(vendor) || !isId(product)) return undefined;
  const busPath = basename(folder);
  const said = await textOf(join(folder, "serial"));
  const serial = said === undefined || said.length === 0 ? undefined : printable(said);
  const kind = await kindOf(folder, udev);
  const bus = Number(busPath.split("-")[0]);
  return { folder, device: { slot, busPath, bus, address, vendor, product, serial, kind } };
}

function isId(text: string | undefined): text is string {
  return text !== undefined && /^[0-9a-f]{4}$/.test(text);
}

/** Of a device that offers both, the disk: it needs no program of anybody to be read. */
async function kindOf(folder: string, udev: string): Promise<UsbDevice["kind"]> {
  let kind: UsbDevice["kind"] = "other";
  for (const name of namesIn(folder) ?? []) {
    if (!name.startsWith(`${basename(folder)}:`)) continue;
    const at = join(folder, name);
    const ofClass = wordOf(join(at, "bInterfaceClass"));
    if (ofClass === STORAGE) return "disk";
    if (isMtp(at, ofClass)) kind = "mtp";
  }
  return kind === "other" && (await udevSaysMtp(folder, udev)) ? "mtp" : kind;
}

function isMtp(at: string, ofClass: string | undefined): boolean {
  if (ofClass === VENDOR_SPECIFIC) return wordOf(join(at, "interface")) === "MTP";
  const subclass = wordOf(join(at, "bInterfaceSubClass"));
  return `${ofClass}${subclass}${wordOf(join(at, "bInterfaceProtocol"))}` === IMAGING;
}

/** udev has a list of the devices that speak MTP and do not say so. */
async function udevSaysMtp(folder: string, udev: string): Promise<boolean> {
  const number = wordOf(join(folder, "dev"));
  const known = await textOf(join(udev, "data", `c${number}`));
  return known?.toString("latin1").split("\n").includes("E:ID_MTP_DEVICE=1") ?? false;
}

function withDisks(
  folder: string,
  device: Seen["device"],
  disks: ReadonlyMap<string, Disk>,
): UsbDevice {
  const own = [...disks].filter(([at]) => at.startsWith(`${folder}/`)).map(([, disk]) => disk);
  // Storage that does not say so, and that the kernel knows better.
  return { ...device, kind: own.length > 0 ? "disk" : device.kind, disks: own };
}
