import { atMostEvery } from "#base/at-most-every";
import { type Clock, HOUR_MS } from "#base/time";
import { type CardRecord, readCardRecords } from "../../drivers/bodycam/card-record.ts";
import { isThere } from "../../drivers/bodycam/is-there.ts";
import { readUsbDevices } from "../../drivers/bodycam/usb-devices.ts";
import { usbHints } from "../../drivers/bodycam/usb-hints.ts";
import type { Events } from "../events.ts";
import { CARDS, MEDIA } from "../places.ts";
import type { Ground } from "./run-slots.ts";
import { isSameCard } from "./same-card.ts";

/** What a machine shows of its slots, and whether a card of them is still there. */
export type Machine = Ground & { readonly isThere: (record: CardRecord) => Promise<boolean> };

/**
 * This machine: its sysfs, its root helper's records, its USB hints. One without USB, or without a helper, has
 * no slots: that is said once, and all else runs.
 */
export function thisMachine(clock: Clock, events: Events): Machine {
  const sayNow = atMostEvery(clock, HOUR_MS);
  const refused = (record: string, why: string): void => {
    if (sayNow(`${record} ${why}`)) events.recordRefused(record, why);
  };
  const records = () => readCardRecords(CARDS, { owner: 0, media: MEDIA, refused });
  return {
    records,
    async devices() {
      const devices = await readUsbDevices();
      // The hints say so, once.
      return devices === "no-usb" ? [] : devices;
    },
    hints: (signal) => usbHints((why) => events.noUsb(why), signal),
    isThere: async (record) => (await isThere(record)) && (await isSameCard(records, record)),
  };
}
