import { basename, dirname, join } from "node:path";
import { folderOf, numberOf } from "./sysfs.ts";

// The folders of sysfs below the controller: usb2/2-3/2-3.1 is the device on port 1 of the hub on port 3.
const DEVICE = /^(\d+)-(\d+(?:\.\d+)*)$/;
// The sockets of a hub: usb2-port3 of the controller itself, 2-3-port1 of the hub there.
const PORT = /^(?:usb(\d+)|(\d+)-(\d+(?:\.\d+)*))-port(\d+)$/;
/** Buses of USB3 say at least this of themselves, in Mbit/s; every slower one is of USB2. */
const SUPER_SPEED = 5000;

interface Place {
  /** Folder of the bus, whose number is not stable: it ends in `usb2`. */
  readonly bus: string;
  /** `3.1`. */
  readonly ports: string;
}

/**
 * The slot that a USB device sits in: its controller and its port path, `0000:00:14.0/2.3`. A socket of USB3
 * is two to the kernel, and is called by its USB2 side whichever side the device talks on.
 * Undefined when `device`, its folder in sysfs, is of no device or has gone.
 */
export function slotName(device: string): string | undefined {
  const place = placeOf(device);
  if (place === undefined) return undefined;
  const { bus, ports } = usb2Side(device, place);
  return `${basename(dirname(bus))}/${ports}`;
}

/** Where its folder says that a device is. */
function placeOf(device: string): Place | undefined {
  const [, bus, ports] = DEVICE.exec(basename(device)) ?? [];
  const end = device.indexOf(`/usb${bus}/`);
  if (ports === undefined || end === -1) return undefined;
  return { bus: `${device.slice(0, end)}/usb${bus}`, ports };
}

/**
 * The nearest socket on the way to the controller that knows its other side says where that is; what is
 * plugged in behind it has the same ports there. When none knows: the same ports.
 */
function usb2Side(device: string, place: Place): Place {
  if ((numberOf(join(place.bus, "speed")) ?? 0) < SUPER_SPEED) return place;
  const ports = place.ports.split(".");
  let at = device;
  for (let depth = ports.length; depth > 0; depth -= 1) {
    const hub = dirname(at);
    const peer = folderOf(join(socketOf(hub, ports[depth - 1] ?? ""), "peer"));
    const there = peer === undefined ? undefined : sideOf(peer);
    if (there !== undefined)
      return { bus: there.bus, ports: [there.ports, ...ports.slice(depth)].join(".") };
    at = hub;
  }
  return place;
}

/** Folder of a port: `usb2/2-0:1.0/usb2-port3`, `2-3/2-3:1.0/2-3-port1`. */
function socketOf(hub: string, port: string): string {
  const name = basename(hub);
  const hubInterface = name.startsWith("usb") ? `${name.slice(3)}-0:1.0` : `${name}:1.0`;
  return join(hub, hubInterface, `${name}-port${port}`);
}

function sideOf(socket: string): Place | undefined {
  const [, root, bus, above, port] = PORT.exec(basename(socket)) ?? [];
  const name = `/usb${root ?? bus}/`;
  const end = socket.indexOf(name);
  if (port === undefined || end === -1) return undefined;
  const ports = above === undefined ? port : `${above}.${port}`;
  return { bus: socket.slice(0, end + name.length - 1), ports };
}
