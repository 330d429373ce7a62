import { type DeviceId, parseDeviceId } from "#base/ids";
import { type Instant, isoOf } from "#base/time";
import { append } from "../ledger/append.ts";
import { readDevice } from "./devices.ts";
import { moment, optional, text } from "./row.ts";
import type { Database, Sql, SqlRow } from "./sqlite.ts";

/**
 * What a bodycam is known by. Serials are as the device says them: placeholders, or another's, until they are
 * compared with all others. Null is what it does not say.
 */
export interface Looks {
  /** USB ids, four lower-case hex digits each. */
  readonly vendor: string;
  readonly product: string;
  readonly serial: string | null;
  /** Of its file system. */
  readonly volume: string | null;
}

/** Which physical camera a number is. */
export interface Pairing extends Looks {
  readonly device: DeviceId;
  readonly idFileSha256: string | null;
  readonly profile: string;
  /** A role. */
  readonly by: string;
}

export interface Bodycam extends Pairing {
  readonly pairedAt: Instant;
  /** Undefined while it is in service. */
  readonly retiredAt: Instant | undefined;
  /** When it was last in a slot, as far as this box knows. */
  readonly seenAt: Instant;
  /** Where it is used, in the words of who paired it. */
  readonly place: string | null;
}

/** Whether nobody can tell these two apart. */
export function lookAlike(one: Looks, other: Looks): boolean {
  return isSameModelAndSerial(one, other) && one.volume === other.volume;
}

/** The same but for its file system: the same camera with another card, or formatted, if its serial is its own. */
export function isSameModelAndSerial(one: Looks, other: Looks): boolean {
  return (
    one.vendor === other.vendor && one.product === other.product && one.serial === other.serial
  );
}

/** What came of a pairing. The last four changed nothing. */
export type Paired =
  | { readonly outcome: "paired" | "volume-changed" | "profile-changed" | "same" }
  | { readonly outcome: "alike"; readonly other: DeviceId }
  | { readonly outcome: "another-camera" | "wall-camera" };

/**
 * Makes a number this physical camera, with its ledger entry, or tells why not. Of one that is in service
 * only its file system or its profile may be another than before.
 */
export function recordPairing(database: Database, now: Instant, pairing: Pairing): Promise<Paired> {
  return database.transaction(async (sql) => {
    const inService = (await readBodycams(sql)).filter(({ retiredAt }) => retiredAt === undefined);
    const twin = inService.find((one) => one.device !== pairing.device && lookAlike(one, pairing));
    if (twin) return { outcome: "alike", other: twin.device };
    const known = inService.find(({ device }) => device === pairing.device);
    return known ? again(sql, now, known, pairing) : first(sql, now, pairing);
  });
}

async function again(sql: Sql, now: Instant, known: Bodycam, pairing: Pairing): Promise<Paired> {
  if (!isSameModelAndSerial(known, pairing)) return { outcome: "another-camera" };
  const otherProfile = known.profile !== pairing.profile;
  if (known.volume === pairing.volume && !otherProfile) return { outcome: "same" };
  if (otherProfile) {
    await writePairing(sql, pairing, now, await tellPaired(sql, now, pairing));
    return { outcome: "profile-changed" };
  }
  const { device, volume, by } = pairing;
  const entry = await append(sql, now, [
    { kind: "bodycam.volume-changed", facts: { device, was: known.volume, is: volume, by } },
  ]);
  await writeVolume(sql, device, volume, entry);
  return { outcome: "volume-changed" };
}

async function first(sql: Sql, now: Instant, pairing: Pairing): Promise<Paired> {
  const known = await readDevice(sql, pairing.device);
  if (known?.kind === "camera") return { outcome: "wall-camera" };
  if (!known) {
    const facts = { device: pairing.device, type: "bodycam", pairedAt: isoOf(now) };
    const entry = await append(sql, now, [{ kind: "device.paired", facts }]);
    await sql.run(
      `insert into device (id, kind, paired_at_ms, entry_seq) values ($id, 'bodycam', $now, $entry)`,
      { $id: pairing.device, $now: now, $entry: entry },
    );
  }
  await writePairing(sql, pairing, now, await tellPaired(sql, now, pairing));
  return { outcome: "paired" };
}

function tellPaired(sql: Sql, now: Instant, pairing: Pairing): Promise<number> {
  const { device, vendor, product, serial, volume, idFileSha256, profile, by } = pairing;
  const facts = { device, vendor, product, serial, volume, idFileSha256, profile, by };
  return append(sql, now, [{ kind: "bodycam.paired", facts }]);
}

/** The row that entry `entry` tells of: for `recordPairing`, and for a catalog that is made again. */
export async function writePairing(
  sql: Sql,
  { device, vendor, product, serial, volume, idFileSha256, profile, by }: Pairing,
  at: Instant,
  entry: number,
): Promise<void> {
  await sql.run(
    `insert into bodycam (device_id, vendor, product, serial, volume, id_file_sha256, profile, paired_by,
       paired_at_ms, entry_seq, seen_at_ms, counted_to)
     values ($device, $vendor, $product, $serial, $volume, $idFile, $profile, $by, $at, $entry, $at, $entry)
     on conflict (device_id) do update set vendor = $vendor, product = $product, serial = $serial,
       volume = $volume, id_file_sha256 = $idFile, profile = $profile, paired_by = $by, paired_at_ms = $at,
       retired_at_ms = null, entry_seq = $entry, seen_at_ms = $at, counted_to = $entry, counter = null,
       counter_at_ms = null`,
    {
      $device: device,
      $vendor: vendor,
      $product: product,
      $serial: serial,
      $volume: volume,
      $idFile: idFileSha256,
      $profile: profile,
      $by: by,
      $at: at,
      $entry: entry,
    },
  );
}

export async function writeVolume(
  sql: Sql,
  device: DeviceId,
  volume: string | null,
  entry: number,
): Promise<void> {
  await sql.run(
    "update bodycam set volume = $volume, entry_seq = $entry where device_id = $device",
    {
      $volume: volume,
      $entry: entry,
      $device: device,
    },
  );
}

/**
 * What a bodycam says of itself in a file of its own, by SHA-256: the first time it is remembered, with its
 * ledger entry; after that it must say the same.
 */
export function recordIdentity(
  database: Database,
  now: Instant,
  device: DeviceId,
  idFileSha256: string,
): Promise<"first" | "same" | "another" | "not-paired"> {
  return database.transaction(async (sql) => {
    const known = (await readBodycams(sql)).find((one) => one.device === device);
    if (known === undefined || known.retiredAt !== undefined) return "not-paired";
    if (known.idFileSha256 !== null)
      return known.idFileSha256 === idFileSha256 ? "same" : "another";
    const facts = { device, idFileSha256 };
    const entry = await append(sql, now, [{ kind: "bodycam.identified", facts }]);
    await writeIdentity(sql, device, idFileSha256, entry);
    return "first";
  });
}

export async function writeIdentity(
  sql: Sql,
  device: DeviceId,
  idFileSha256: string,
  entry: number,
): Promise<void> {
  await sql.run(
    "update bodycam set id_file_sha256 = $sha256, entry_seq = $entry where device_id = $device",
    { $sha256: idFileSha256, $entry: entry, $device: device },
  );
}

/** Ends a pairing, with its ledger entry. False where the number is not paired. */
export function recordRetired(
  database: Database,
  now: Instant,
  device: DeviceId,
  by: string,
  reason: string,
): Promise<boolean> {
  return database.transaction(async (sql) => {
    const known = (await readBodycams(sql)).find((one) => one.device === device);
    if (known === undefined || known.retiredAt !== undefined) return false;
    const facts = { device, by, reason };
    const entry = await append(sql, now, [{ kind: "bodycam.retired", facts }]);
    await writeRetired(sql, device, now, entry);
    return true;
  });
}

export async function writeRetired(
  sql: Sql,
  device: DeviceId,
  at: Instant,
  entry: number,
): Promise<void> {
  await sql.run(
    `update bodycam set retired_at_ms = $at, entry_seq = $entry
     where device_id = $device and retired_at_ms is null`,
    { $at: at, $entry: entry, $device: device },
  );
}

/** Every bodycam that is or was paired, by number. */
export async function readBodycams(sql: Sql): Promise<readonly Bodycam[]> {
  const rows = await sql.all(
    `select bodycam.*, place.name as place from bodycam join device on device.id = device_id
     left join place on place.id = device.place_id order by device_id`,
  );
  return rows.map(parseBodycam);
}

function parseBodycam(row: SqlRow): Bodycam {
  return {
    device: parseDeviceId(text(row, "device_id")),
    vendor: text(row, "vendor"),
    product: text(row, "product"),
    serial: optional(row, "serial", text) ?? null,
    volume: optional(row, "volume", text) ?? null,
    idFileSha256: optional(row, "id_file_sha256", text) ?? null,
    profile: text(row, "profile"),
    by: text(row, "paired_by"),
    pairedAt: moment(row, "paired_at_ms"),
    retiredAt: optional(row, "retired_at_ms", moment),
    seenAt: moment(row, "seen_at_ms"),
    place: optional(row, "place", text) ?? null,
  };
}

/**
 * Remembers that these were in a slot. No entry: it changes nothing of what is kept. What was seen while this box's
 * clock was ahead is set back once its time is trusted: a camera that stays away is missed from then on.
 */
export async function recordSeen(
  database: Database,
  now: Instant,
  devices: readonly DeviceId[],
  trusted: boolean,
): Promise<void> {
  await database.transaction((sql) =>
    sql.run(
      `update bodycam set seen_at_ms = $now
       where (device_id in (select value from json_each($devices)) and seen_at_ms < $now)
         or ($trusted and seen_at_ms > $now)`,
      { $now: now, $trusted: trusted ? 1 : 0, $devices: JSON.stringify(devices) },
    ),
  );
}
