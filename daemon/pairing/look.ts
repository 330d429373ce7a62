import type { Clock } from "#base/time";
import { type CardRecord, readCardRecords } from "../../drivers/bodycam/card-record.ts";
import { readUsbDevices, type UsbDevice } from "../../drivers/bodycam/usb-devices.ts";
import { CARDS } from "../places.ts";
import type { InSlot, LookInSlots } from "./in-slots.ts";

/** How this machine is looked at: by others in tests. */
export interface Eyes {
  readonly devices: () => Promise<readonly UsbDevice[] | "no-usb">;
  readonly records: () => Promise<readonly CardRecord[]>;
}

const OF_THIS_MACHINE: Eyes = {
  devices: () => readUsbDevices(),
  records: () => readCardRecords(CARDS),
};

/** What is plugged in, with what the root helper wrote of it since this start of the machine. */
export function lookInSlotsOf(
  clock: Pick<Clock, "bootId">,
  eyes: Eyes = OF_THIS_MACHINE,
): LookInSlots {
  return async () => {
    const devices = await eyes.devices();
    if (devices === "no-usb") return [];
    const bootId = clock.bootId();
    const records = (await eyes.records()).filter((one) => one.bootId === bootId);
    return devices.flatMap((device) => {
      // A record is of what was plugged in when it was written.
      const own = records.filter((record) => isOf(record, device));
      return own.length > 0 ? own.map(looked) : [unlooked(device)];
    });
  };
}

function isOf(record: CardRecord, { slot, vendor, product, serial }: UsbDevice): boolean {
  return (
    record.slot === slot &&
    record.vendor === vendor &&
    record.product === product &&
    record.serial === (serial ?? null)
  );
}

function looked({ slot, vendor, product, serial, volume, refused }: CardRecord): InSlot {
  const kind = volume.kind === "mtp" ? "mtp" : "disk";
  return { slot, kind, vendor, product, serial, volume: volume.serial, refused, looked: true };
}

function unlooked({ slot, kind, vendor, product, serial }: UsbDevice): InSlot {
  const known = { slot, kind, vendor, product, serial: serial ?? null };
  return { ...known, volume: null, refused: null, looked: false };
}
