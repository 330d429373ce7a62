import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

/** What is plugged into a fake bus; what is left out has a value that does not matter. */
interface Plugged {
  /** `1-2.3`: bus and ports. Must be a hub for what is plugged in behind it. */
  readonly at: string;
  readonly address?: number;
  readonly id?: string;
  readonly serial?: string | Uint8Array;
  readonly hub?: boolean;
  /** Class, subclass and protocol of each interface, and its name. */
  readonly interfaces?: readonly { readonly codes: string; readonly name?: string }[];
}

/** A disk of the device at `at`. */
interface FakeDisk {
  readonly at: string;
  readonly name: string;
  readonly device: string;
  readonly sectors: number;
  readonly readOnly?: boolean;
  readonly partitions?: readonly {
    readonly number: number;
    readonly device: string;
    readonly sectors: number;
  }[];
}

/** The part of sysfs that bewaard reads, as the kernel lays it out, in a folder: /sys itself in a namespace. */
export interface UsbTree {
  readonly sys: string;
  /** A controller's bus, of 480 Mbit/s or of more. */
  bus(number: number, controller: string, speed?: number): Promise<void>;
  plug(device: Plugged): Promise<void>;
  disk(disk: FakeDisk): Promise<void>;
  /** Says that two sockets are one: `usb2-port3` or `2-1-port4` each. */
  peers(one: string, other: string): Promise<void>;
  /** With all that is behind it. */
  unplug(at: string): Promise<void>;
}

type Interfaces = NonNullable<Plugged["interfaces"]>;
const HUB: Interfaces = [{ codes: "090000" }];
const STORAGE: Interfaces = [{ codes: "080650" }];
// A device and one configuration: nothing of ours reads them, the package `usb` wants them there.
export const DESCRIPTORS = Buffer.from(
  "12010002000000406a0b341200010102030109021200010100803209040000000806500000",
  "hex",
);

export async function usbTree(sys: string): Promise<UsbTree> {
  const controllers = new Map<string, string>();
  const links = new Map<string, string[]>();
  for (const folder of ["bus/usb/devices", "class/block", "dev/block", "dev/char"])
    await mkdir(join(sys, folder), { recursive: true });

  const rootOf = (bus: string): string => join(sys, `${controllers.get(bus)}`, `usb${bus}`);
  const folderOf = (at: string): string => {
    const [bus = "", ports = ""] = at.split("-");
    const chain = ports.split(".").map((_, index, all) => all.slice(0, index + 1).join("."));
    return join(rootOf(bus), ...chain.map((to) => `${bus}-${to}`));
  };
  const socketFolder = (socket: string): string => {
    const [, hub = "", port] = /^(.*)-port(\d+)$/.exec(socket) ?? [];
    const bus = hub.replace("usb", "");
    return hub.startsWith("usb")
      ? join(rootOf(bus), `${bus}-0:1.0/usb${bus}-port${port}`)
      : join(folderOf(hub), `${hub}:1.0/${hub}-port${port}`);
  };
  const link = async (owner: string, from: string, to: string): Promise<void> => {
    await symlink(relative(dirname(from), to), from);
    links.set(owner, [...(links.get(owner) ?? []), from]);
  };

  return {
    sys,
    async bus(number, controller, speed = 480) {
      controllers.set(String(number), `devices/pci0000:00/${controller}`);
      const folder = rootOf(String(number));
      await write(folder, { speed, devnum: 1, bDeviceClass: "09", ...ids("1d6b:0002") });
      const known = join(sys, `bus/usb/devices/usb${number}`);
      await rm(known, { force: true });
      await link(`usb${number}`, known, folder);
    },
    async plug({ at, address = 7, id = "0b6a:1234", serial, hub = false, interfaces }) {
      const folder = folderOf(at);
      const bus = Number(at.split("-")[0]);
      const dev = `189:${(bus - 1) * 128 + address - 1}`;
      const of = { bDeviceClass: hub ? "09" : "00", bDeviceSubClass: "00", bDeviceProtocol: "00" };
      const spoken = { bcdDevice: "0100", version: " 2.00", speed: 480, bConfigurationValue: 1 };
      await write(folder, { busnum: bus, devnum: address, dev, ...ids(id), ...of, ...spoken });
      await write(folder, {
        descriptors: DESCRIPTORS,
        ...(serial === undefined ? {} : { serial }),
      });
      for (const [index, { codes, name }] of (interfaces ?? (hub ? HUB : STORAGE)).entries()) {
        const [bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol] = codes.match(/../g) ?? [];
        const codesOf = { bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol };
        const named = name === undefined ? {} : { interface: name };
        await write(join(folder, `${at}:1.${index}`), { ...codesOf, ...named });
      }
      await link(at, join(sys, "bus/usb/devices", at), folder);
      await link(at, join(sys, "dev/char", dev), folder);
    },
    async disk({ at, name, device, sectors, readOnly = false, partitions = [] }) {
      const folder = join(folderOf(at), `${at}:1.0/host6/target6:0:0/6:0:0:0/block`, name);
      const parts = partitions.map(({ number, ...part }) => ({
        ...part,
        to: join(folder, `${name}${number}`),
        more: { partition: number },
      }));
      const whole = { device, sectors, to: folder, more: { ro: readOnly ? 1 : 0 } };
      for (const part of [whole, ...parts]) {
        await write(part.to, { dev: part.device, size: part.sectors, ...part.more });
        const known = part.to.slice(dirname(part.to).length + 1);
        await link(at, join(sys, "class/block", known), part.to);
        await link(at, join(sys, "dev/block", part.device), part.to);
      }
    },
    async peers(one, other) {
      const folders = [socketFolder(one), socketFolder(other)] as const;
      for (const folder of folders) await mkdir(folder, { recursive: true });
      await symlink(folders[1], join(folders[0], "peer"));
      await symlink(folders[0], join(folders[1], "peer"));
    },
    async unplug(at) {
      for (const [owner, owned] of links) {
        if (owner !== at && !owner.startsWith(`${at}.`)) continue;
        for (const one of owned) await rm(one, { force: true });
        links.delete(owner);
      }
      // The kernel takes these away first.
      await rm(join(folderOf(at), "devnum"), { force: true });
      await rm(folderOf(at), { recursive: true, force: true });
    },
  };
}

function ids(id: string): Record<string, string> {
  const [idVendor = "", idProduct = ""] = id.split(":");
  return { idVendor, idProduct };
}

async function write(folder: string, attributes: Record<string, unknown>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, value] of Object.entries(attributes)) {
    const bytes = value instanceof Uint8Array ? value : Buffer.from(String(value));
    await writeFile(join(folder, name), Buffer.concat([bytes, Buffer.from("\n")]));
  }
}
