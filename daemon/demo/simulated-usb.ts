import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

/** A camera on the simulated bus: a disk with one partition. */
export interface SimulatedCamera {
  /** `sdb`; its partition is `sdb1`. */
  readonly disk: string;
  readonly serial: string;
  /** Serial of its file system. */
  readonly volume: number;
}

/** Just as much of sysfs as bewaard reads, in a folder: one controller with cameras straight in its ports. */
export interface SimulatedUsb {
  readonly sys: string;
  plug(port: number, camera: SimulatedCamera, device: string): Promise<void>;
  unplug(port: number): Promise<void>;
}

const CONTROLLER = "0000:00:14.0";
const SECTORS = 62_500_000;

/** The name of a port's slot. */
export function slotOf(port: number): string {
  return `${CONTROLLER}/${port}`;
}

export async function openSimulatedUsb(sys: string): Promise<SimulatedUsb> {
  const bus = join(sys, "devices/pci0000:00", CONTROLLER, "usb1");
  for (const known of ["bus/usb/devices", "class/block", "dev/block"])
    await mkdir(join(sys, known), { recursive: true });
  await attributes(bus, { speed: 480 });
  const links = new Map<number, string[]>();
  let address = 1;
  const link = async (port: number, known: string, folder: string): Promise<void> => {
    const path = join(sys, known);
    await symlink(relative(dirname(path), folder), path);
    links.set(port, [...(links.get(port) ?? []), path]);
  };
  return {
    sys,
    async plug(port, { disk, serial }, device) {
      const at = `1-${port}`;
      const folder = join(bus, at);
      address += 1;
      const is = { busnum: 1, devnum: address, idVendor: "0b6a", idProduct: "1234", serial };
      await attributes(folder, { ...is, bDeviceClass: "00" });
      await attributes(join(folder, `${at}:1.0`), { bInterfaceClass: "08" });
      const block = join(folder, `${at}:1.0`, "block", disk);
      await attributes(block, { dev: "8:0", size: SECTORS, ro: 0 });
      await attributes(join(block, `${disk}1`), { dev: device, size: SECTORS, partition: 1 });
      await link(port, `class/block/${disk}`, block);
      await link(port, `class/block/${disk}1`, join(block, `${disk}1`));
      // All simulated cards are folders of one disk, and have its number.
      await mkdir(join(sys, "dev/block", device), { recursive: true });
      await link(port, `bus/usb/devices/${at}`, folder);
    },
    async unplug(port) {
      for (const path of (links.get(port) ?? []).toReversed()) await rm(path, { force: true });
      links.delete(port);
      await rm(join(bus, `1-${port}`), { recursive: true, force: true });
    },
  };
}

async function attributes(folder: string, all: Record<string, string | number>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, value] of Object.entries(all))
    await writeFile(join(folder, name), `${value}\n`);
}

/** The first sector of a FAT32 card, with what bewaard reads of it. */
export function firstSector(volume: number): Buffer {
  const bytes = Buffer.alloc(512);
  bytes.writeUInt16LE(512, 11);
  bytes.writeUInt8(8, 13);
  bytes.writeUInt16LE(32, 14);
  bytes.writeUInt8(2, 16);
  bytes.writeUInt8(0xf8, 21);
  bytes.writeUInt8(0x29, 66);
  bytes.writeUInt32LE(volume, 67);
  bytes.write("NO NAME    ", 71, "latin1");
  bytes.writeUInt16LE(0xaa55, 510);
  return bytes;
}
