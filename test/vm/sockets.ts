import { systemClock } from "#base/system-clock";
import { NEVER } from "../fakes/rig.ts";
import type { Monitor } from "./monitor.ts";

/** Where and how a card is put in. */
export interface Plug {
  /** Which camera it is in: what the device says of itself. */
  readonly serial: string;
  /** `3` of the controller, or `2.3` behind the hub in 2. */
  readonly port: string;
  /** `xhci.0` has USB 2 and 3, `ehci.0` USB 2 alone. */
  readonly bus?: "xhci.0" | "ehci.0";
  /** The switch on the side of the card. */
  readonly readOnly?: boolean;
  /** Reads no faster: then it can be pulled out in mid-copy. */
  readonly bytesPerSecond?: number;
}

/** The USB sockets of a guest. Ids are the test's own names for what it plugged. */
export interface Sockets {
  /** Puts in a USB stick with `image` for its contents. */
  plug(id: string, image: string, how: Plug): Promise<void>;
  /** Pulls it out, whatever goes on. The image can be plugged again. */
  unplug(id: string): Promise<void>;
  /** Puts in a device that shows the folder `from` over MTP, and removes from it what it is asked to. */
  plugMtp(id: string, from: string, serial: string, port: string): Promise<void>;
  unplugMtp(id: string): Promise<void>;
  /** Puts in a hub: its sockets are `<port>.1` to `<port>.8`. */
  plugHub(id: string, port: string): Promise<void>;
}

/** How long QEMU may go on reading an image of what was pulled out. */
const TRIES = 100;

/** The sockets of one machine: `plugAgain` puts into the next one, in turn, what is in those of this one. */
export function socketsOf(monitor: Monitor): Sockets & { plugAgain(): Promise<void> } {
  const plugged = new Map<string, () => Promise<unknown>>();

  async function plugIn(id: string, how: () => Promise<unknown>): Promise<void> {
    await how();
    plugged.set(id, how);
  }

  async function pullOut(id: string): Promise<void> {
    await monitor("device_del", { id });
    plugged.delete(id);
  }

  return {
    async plug(id, image, { serial, port, bus = "xhci.0", readOnly = false, bytesPerSecond }) {
      const file = { driver: "file", filename: image, "read-only": readOnly, locking: "off" };
      await plugIn(id, async () => {
        let disk: object = { driver: "raw", file };
        if (bytesPerSecond !== undefined) {
          const limits = { "bps-total": bytesPerSecond };
          await monitor("object-add", { "qom-type": "throttle-group", id: `slow-${id}`, limits });
          disk = { driver: "throttle", "throttle-group": `slow-${id}`, file: disk };
        }
        const options = { "node-name": `card-${id}`, "read-only": readOnly, ...disk };
        await monitor("blockdev-add", options);
        const stick = { driver: "usb-storage", drive: `card-${id}`, removable: true };
        await monitor("device_add", { ...stick, id, serial, bus, port });
      });
    },
    async unplug(id) {
      await pullOut(id);
      await trying(() => monitor("blockdev-del", { "node-name": `card-${id}` }));
      // Only a slow one has it.
      await monitor("object-del", { id: `slow-${id}` }).catch(() => undefined);
    },
    async plugMtp(id, from, serial, port) {
      const device = { driver: "usb-mtp", rootdir: from, readonly: false, desc: "bodycam" };
      const at = { id, serial, bus: "xhci.0", port };
      await plugIn(id, () => monitor("device_add", { ...device, ...at }));
    },
    unplugMtp: pullOut,
    async plugHub(id, port) {
      const hub = { driver: "usb-hub", id, bus: "xhci.0", port };
      await plugIn(id, () => monitor("device_add", hub));
    },
    async plugAgain() {
      for (const how of plugged.values()) await how();
    },
  };
}

/** What is pulled out is let go of a little later. */
async function trying(letGo: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await letGo();
      return;
    } catch (error) {
      if (tries === TRIES) throw error;
      await systemClock.sleep(100, NEVER);
    }
  }
}
