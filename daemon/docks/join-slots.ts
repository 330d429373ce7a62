import { type DeviceId, parseDeviceId } from "#base/ids";
import type { CardRecord } from "../../drivers/bodycam/card-record.ts";
import type { Pairing } from "./dock-core.ts";
import type { SlotWhy } from "./slot-why.ts";

/** A device that is plugged in, as far as it matters here (drivers/bodycam/usb-devices.ts). */
export interface SlotDevice {
  readonly slot: string;
  readonly bus: number;
  /** Another one each time that something is plugged in. */
  readonly address: number;
  readonly vendor: string;
  readonly product: string;
  readonly serial: string | undefined;
  readonly kind: "disk" | "mtp" | "other";
}

/** A slot with something in it, and what may be done with that. */
export interface Occupied {
  readonly slot: string;
  /** The same for as long as the same device stays in. */
  readonly plugged: string;
  readonly found: Found;
}

export type Found =
  /** The root helper has not said anything yet. */
  | { readonly kind: "waiting" }
  | { readonly kind: "refused"; readonly why: SlotWhy }
  | { readonly kind: "card"; readonly card: PairedCard };

/** A mounted card of a paired camera: the only thing that is ever read. */
export interface PairedCard {
  readonly record: CardRecord;
  readonly number: DeviceId;
  readonly folder: string;
  /** Name or path of its profile. */
  readonly profile: string;
}

/**
 * Joins what is plugged in with what the root helper wrote of it and with what is paired. A record alone is
 * nothing: its device must be in that slot now. Of two that look the same, or claim one number, neither is
 * read: the footage of one would be kept under the name of the other.
 */
export function joinSlots(
  bootId: string,
  devices: readonly SlotDevice[],
  records: readonly CardRecord[],
  pairings: readonly Pairing[],
): readonly Occupied[] {
  const present = records.filter(({ slot }) => devices.some((device) => device.slot === slot));
  const isTwin = (one: CardRecord): boolean =>
    present.some((other) => other.slot !== one.slot && areTwins(one, other));
  return devices.flatMap((device) => {
    const own = present.filter(({ slot }) => slot === device.slot);
    if (own.length === 0 && device.kind === "other") return [];
    const plugged = `${device.bus}.${device.address}`;
    return [{ slot: device.slot, plugged, found: foundIn(bootId, device, own, isTwin, pairings) }];
  });
}

function foundIn(
  bootId: string,
  device: SlotDevice,
  own: readonly CardRecord[],
  isTwin: (record: CardRecord) => boolean,
  pairings: readonly Pairing[],
): Found {
  const [record] = own;
  if (record === undefined) return { kind: "waiting" };
  if (own.some((one) => one.bootId !== bootId || !isOf(one, device))) return no("record-differs");
  const refused = own.find((one) => one.refused !== null)?.refused;
  if (refused) return no(refused);
  if (own.length > 1) return no("more-than-one-card");
  if (isTwin(record)) return no("same-identity");
  const isIt = (one: Pairing): boolean => lookAlike(one, looksOf(record));
  const pairing = pairings.find((one) => one.number === record.number && isIt(one));
  if (pairing === undefined || record.mountedAt === null) return no("unpaired");
  const number = parseDeviceId(pairing.number);
  const card = { record, number, folder: record.mountedAt, profile: pairing.profile };
  return { kind: "card", card };
}

function no(why: SlotWhy): Found {
  return { kind: "refused", why };
}

function isOf(record: CardRecord, { vendor, product, serial }: SlotDevice): boolean {
  return (
    record.vendor === vendor && record.product === product && record.serial === (serial ?? null)
  );
}

/** What of a camera can be seen without reading its card. */
type Looks = Pick<Pairing, "vendor" | "product" | "serial" | "volume">;

function looksOf({ vendor, product, serial, volume }: CardRecord): Looks {
  return { vendor, product, serial, volume: volume.serial };
}

function lookAlike(a: Looks, b: Looks): boolean {
  return (
    a.vendor === b.vendor &&
    a.product === b.product &&
    a.serial === b.serial &&
    a.volume === b.volume
  );
}

function areTwins(a: CardRecord, b: CardRecord): boolean {
  return lookAlike(looksOf(a), looksOf(b)) || (a.number !== null && a.number === b.number);
}
