import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, isoOf } from "#base/time";
import { readTrusted } from "#base/trusted-file";
import { PAIRED_BYTES, type PairedCamera, readPairedList } from "../orders/paired-list.ts";
import { diskName } from "../orders/parts.ts";
import { alone } from "./alone.ts";
import { type Found, findPart, readVolume } from "./look.ts";
import { mountFound } from "./mount-found.ts";
import type { Mounts } from "./mounts.ts";
import type { HelperPlaces } from "./places.ts";
import { takeDown } from "./put-away.ts";
import { type OwnRecord, ownUser, readRecord, writeRecord } from "./record.ts";
import { isUntrusted, readVerifier } from "./verifier.ts";
import { succeeds } from "./while-writable.ts";

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
  const seen = await describe(clock, mounts, found);
  const refused =
    !isDisk && found.disk.partitions.length !== 1 ? "not-one-partition" : seen.refused;
  if (refused !== null) return told(places, { ...seen, refused });
  const cameras = await pairedCameras(places).catch(async (error: unknown) => {
    // Else nothing would have it looked at again when there is another list.
    if (isUntrusted(error)) await told(places, { ...seen, refused: "unpaired" });
    throw error;
  });
  const numbers = cameras.filter((one) => looksLike(one, seen));
  const [camera] = numbers;
  if (camera === undefined) return told(places, { ...seen, refused: "unpaired" });
  if (numbers.length > 1) return told(places, { ...seen, refused: "same-identity" });
  return mounted(mounts, places, found, { ...seen, number: camera.number });
}

async function describe(clock: Clock, mounts: Mounts, found: Found): Promise<OwnRecord> {
  const { usb, disk, part } = found;
  const volume = await readVolume(mounts, part.name, part.device);
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
    readOnly: disk.readOnly,
    number: null,
    mountedAt: null,
    refused: volume === undefined ? "unknown-file-system" : null,
    at: isoOf(clock.now()),
  };
}

/** None where core has not written the list yet, or somebody else could have. */
async function pairedCameras(places: HelperPlaces): Promise<readonly PairedCamera[]> {
  const { uid } = await stat(places.state);
  const path = join(places.state, "paired.note");
  const bytes = await readTrusted(path, [uid, ownUser()], PAIRED_BYTES);
  if (!Buffer.isBuffer(bytes)) return [];
  return readPairedList(await readVerifier(places), bytes.toString()).cameras;
}

type Looks = Pick<OwnRecord, "vendor" | "product" | "serial"> & { readonly volume: string | null };

function looksLike(one: Looks, seen: OwnRecord): boolean {
  return (
    one.vendor === seen.vendor &&
    one.product === seen.product &&
    one.serial === seen.serial &&
    one.volume === seen.volume.serial
  );
}

async function mounted(
  mounts: Mounts,
  places: HelperPlaces,
  found: Found,
  seen: OwnRecord,
): Promise<OwnRecord> {
  const at = join(places.media, seen.name);
  // What is mounted there still is of a card that has gone.
  await takeDown(mounts, at);
  await mkdir(at, { recursive: true, mode: 0o755 });
  if (!(await succeeds(mountFound(mounts, places, found, seen.volume, at)))) {
    await takeDown(mounts, at);
    return told(places, { ...seen, refused: "mount-failed" });
  }
  // Told before the others are looked at: of two that come at the same moment, one at least sees the other. And in
  // turn, for each writes the other's record.
  await using _ = await alone(places.cards);
  const record = await told(places, { ...seen, mountedAt: at });
  const twins = await twinsOf(places, record);
  if (twins.length === 0) return record;
  for (const twin of [...twins, record]) await refuseTwin(mounts, places, twin);
  return { ...record, mountedAt: null, number: null, refused: "same-identity" };
}

/** The other cards in a slot now that look just like this one: whose footage would theirs be? */
async function twinsOf(places: HelperPlaces, record: OwnRecord): Promise<readonly OwnRecord[]> {
  const looks = { ...record, volume: record.volume.serial };
  const twins: OwnRecord[] = [];
  for (const file of await readdir(places.cards)) {
    const name = diskName.safeParse(file.replace(/\.json$/, ""));
    if (!name.success || name.data === record.name) continue;
    const other = await readRecord(places.cards, name.data);
    if (other === undefined || !looksLike(looks, other)) continue;
    const found = await findPart(places, name.data);
    if (found?.part.device === other.device) twins.push(other);
  }
  return twins;
}

async function refuseTwin(mounts: Mounts, places: HelperPlaces, twin: OwnRecord): Promise<void> {
  if (twin.mountedAt !== null) await takeDown(mounts, twin.mountedAt);
  await told(places, { ...twin, mountedAt: null, number: null, refused: "same-identity" });
}

async function told(places: HelperPlaces, record: OwnRecord): Promise<OwnRecord> {
  await writeRecord(places.cards, record);
  return record;
}
