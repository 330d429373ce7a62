import { isDeepStrictEqual } from "node:util";
import { type Clock, isoOf } from "#base/time";
import { diskName } from "../orders/parts.ts";
import { type Found, findPart, readVolume } from "./look.ts";
import { mountFound } from "./mount-found.ts";
import { mountPaired, told } from "./mount-paired.ts";
import type { Mounts } from "./mounts.ts";
import { openDocked } from "./open-docked.ts";
import type { HelperPlaces } from "./places.ts";
import { type OwnRecord, readRecord } from "./record.ts";
import type { Volume } from "./volume.ts";

/**
 * Looks at the disk or partition `name` that udev told of, mounts it when it is a paired camera's and the only
 * such one, and writes its record. Undefined for what is no card: a disk whose partition is told of by itself,
 * a reader without a card, something that is not on USB.
 * @throws BewaardError NODE_KEY, ORDER_REFUSED when the node's public key is not to be trusted.
 */
export async function takeUp(
  clock: Clock,
  mounts: Mounts,
  places: HelperPlaces,
  name: string,
): Promise<OwnRecord | undefined> {
  const found = await findPart(places, diskName.parse(name));
  if (found === undefined || found.part.bytes === 0) return undefined;
  const isDisk = found.part === found.disk;
  if (isDisk && found.disk.partitions.length > 0) return undefined;
  const volume = await readVolume(mounts, name, found.part.device);
  const seen = describe(clock, found, volume);
  if (!isDisk && found.disk.partitions.length !== 1)
    return told(places, { ...seen, refused: "not-one-partition" });
  if (volume === undefined) return told(places, { ...seen, refused: "unknown-file-system" });
  return (
    (await mountedAlready(mounts, places, seen)) ??
    (await mountPaired(mounts, places, seen, (at) => mountFound(mounts, places, found, volume, at)))
  );
}

/**
 * What was told of a card that is mounted, where it is this one: looked at twice for one change of the list, it would be
 * taken from who reads it, or is being wiped. What is mounted holds its name and number, so that the same are the same disk.
 */
async function mountedAlready(
  mounts: Mounts,
  places: HelperPlaces,
  seen: OwnRecord,
): Promise<OwnRecord | undefined> {
  const before = await readRecord(places.cards, seen.name);
  if (before === undefined || before.mountedAt === null) return undefined;
  const { number, mountedAt, at } = before;
  if (!isDeepStrictEqual({ ...seen, number, mountedAt, at }, before)) return undefined;
  await using card = await openDocked(mounts, before, mountedAt);
  return card === undefined ? undefined : before;
}

function describe(clock: Clock, { usb, disk, part }: Found, volume: Volume | undefined): OwnRecord {
  return {
    bewaard: "card/1",
    bootId: clock.bootId(),
    slot: usb.slot,
    name: part.name,
    device: part.device,
    vendor: usb.vendor,
    product: usb.product,
    serial: usb.serial ?? null,
    volume: volume ?? { kind: "vfat", serial: null, label: null },
    bytes: part.bytes,
    largest: null,
    readOnly: disk.readOnly,
    number: null,
    mountedAt: null,
    refused: null,
    at: isoOf(clock.now()),
  };
}
