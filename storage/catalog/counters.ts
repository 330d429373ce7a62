import type { DeviceId } from "#base/ids";
import type { Instant } from "#base/time";
import { bytes, moment, number, optional } from "./row.ts";
import type { Sql } from "./sqlite.ts";

// Cameras number their files. What was looked at of those numbers, and how far.

/** The newest file of a bodycam whose name was looked at. */
export interface Counted {
  /** Segments up to this entry were looked at. */
  readonly to: number;
  /** Undefined before the first name with a number in it. */
  readonly last: Numbered | undefined;
  /** When this box last saw the card empty of everything it had had. */
  readonly emptiedAt: Instant | undefined;
}

export interface Numbered {
  readonly counter: number;
  readonly startedAt: Instant;
}

/** A file that came since, by its name. */
export interface Named {
  readonly path: Buffer;
  readonly startedAt: Instant;
  readonly arrivedAt: Instant;
  readonly entry: number;
}

export async function readCounted(sql: Sql, device: DeviceId): Promise<Counted> {
  const [row] = await sql.all(
    `select counted_to, counter, counter_at_ms, emptied_at_ms
     from bodycam join device on device.id = device_id where device_id = $device`,
    { $device: device },
  );
  const counter = optional(row, "counter", number);
  const last =
    counter === undefined ? undefined : { counter, startedAt: moment(row, "counter_at_ms") };
  return { to: number(row, "counted_to"), last, emptiedAt: optional(row, "emptied_at_ms", moment) };
}

/** Its files since entry `after`, by their start. Through an index over files with a name. */
export async function readNamed(
  sql: Sql,
  device: DeviceId,
  after: number,
): Promise<readonly Named[]> {
  const rows = await sql.all(
    `select source_path, started_at_ms, arrived_at_ms, entry_seq from segment
     where device_id = $device and entry_seq > $after and source_path is not null
     order by started_at_ms, id`,
    { $device: device, $after: after },
  );
  return rows.map((row) => ({
    path: bytes(row, "source_path"),
    startedAt: moment(row, "started_at_ms"),
    arrivedAt: moment(row, "arrived_at_ms"),
    entry: number(row, "entry_seq"),
  }));
}

export async function writeCounted(
  sql: Sql,
  device: DeviceId,
  to: number,
  last: Numbered | undefined,
): Promise<void> {
  await sql.run(
    `update bodycam set counted_to = $to, counter = $counter, counter_at_ms = $at
     where device_id = $device`,
    {
      $device: device,
      $to: to,
      $counter: last?.counter ?? null,
      $at: last?.startedAt ?? null,
    },
  );
}
