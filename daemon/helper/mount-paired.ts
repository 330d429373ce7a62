import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { readTrusted } from "#base/trusted-file";
import { PAIRED_BYTES, type PairedCamera, readPairedList } from "../orders/paired-list.ts";
import { cardName } from "../orders/parts.ts";
import { alone } from "./alone.ts";
import { findCard } from "./look.ts";
import type { Mounts } from "./mounts.ts";
import type { HelperPlaces } from "./places.ts";
import { takeDown } from "./put-away.ts";
import { type OwnRecord, ownUser, readRecord, writeRecord } from "./record.ts";
import { isUntrusted, readVerifier } from "./verifier.ts";
import { succeeds } from "./while-writable.ts";

/** What it means that what was found cannot be mounted. */
type Unmounted = "mount-failed" | "no-program";

/**
 * Mounts what was seen, by `mount`, when it is a paired camera's and the only such one, and writes its record
 * either way: nothing of what is not paired is ever read.
 * @throws BewaardError NODE_KEY, ORDER_REFUSED when the node's public key is not to be trusted.
 */
export async function mountPaired(
  mounts: Mounts,
  places: HelperPlaces,
  seen: OwnRecord,
  mount: (at: string) => Promise<void>,
  otherwise: Unmounted = "mount-failed",
): Promise<OwnRecord> {
  const cameras = await pairedCameras(places).catch(async (error: unknown) => {
    // Else nothing would have it looked at again when there is another list.
    if (isUntrusted(error)) await told(places, { ...seen, refused: "unpaired" });
    throw error;
  });
  const numbers = cameras.filter((one) => looksLike(one, seen));
  const [camera] = numbers;
  if (camera === undefined) return told(places, { ...seen, refused: "unpaired" });
  if (numbers.length > 1) return told(places, { ...seen, refused: "same-identity" });
  return mounted(mounts, places, { ...seen, number: camera.number }, mount, otherwise);
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
  seen: OwnRecord,
  mount: (at: string) => Promise<void>,
  otherwise: Unmounted,
): Promise<OwnRecord> {
  const at = join(places.media, seen.name);
  // What is mounted there still is of a card that has gone.
  await takeDown(mounts, at);
  await mkdir(at, { recursive: true, mode: 0o755 });
  if (!(await succeeds(mount(at)))) {
    await takeDown(mounts, at);
    return told(places, { ...seen, refused: otherwise });
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
    const name = cardName.safeParse(file.replace(/\.json$/, ""));
    if (!name.success || name.data === record.name) continue;
    const other = await readRecord(places.cards, name.data);
    if (other === undefined || !looksLike(looks, other)) continue;
    const found = await findCard(places, name.data);
    if (found?.device === other.device) twins.push(other);
  }
  return twins;
}

async function refuseTwin(mounts: Mounts, places: HelperPlaces, twin: OwnRecord): Promise<void> {
  if (twin.mountedAt !== null) await takeDown(mounts, twin.mountedAt);
  await told(places, { ...twin, mountedAt: null, number: null, refused: "same-identity" });
}

/** Writes the record, and gives it back. */
export async function told(places: HelperPlaces, record: OwnRecord): Promise<OwnRecord> {
  await writeRecord(places.cards, record);
  return record;
}
