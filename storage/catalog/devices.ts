import { type DeviceId, parseDeviceId } from "#base/ids";
import type { Instant } from "#base/time";
import { isoOf } from "#base/time";
import { append } from "../ledger/append.ts";
import { moment, optional, text } from "./row.ts";
import type { Database, Sql } from "./sqlite.ts";

export interface Device {
  readonly id: DeviceId;
  readonly kind: "bodycam" | "camera";
  readonly pairedAt: Instant;
  /** When it was last seen empty of everything it had had. */
  readonly emptiedAt: Instant | undefined;
}

/** Records cameras the catalog does not know yet; one that it knows keeps its first pairing. */
export function recordPaired(
  database: Database,
  at: Instant,
  devices: readonly Omit<Device, "emptiedAt">[],
): Promise<void> {
  return database.transaction(async (sql) => {
    for (const { id, kind, pairedAt } of devices) {
      if (await readDevice(sql, id)) continue;
      const entry = await append(sql, at, [
        { kind: "device.paired", facts: { device: id, type: kind, pairedAt: isoOf(pairedAt) } },
      ]);
      await sql.run(
        `insert into device (id, kind, paired_at_ms, entry_seq) values ($id, $kind, $pairedAt, $entry)`,
        { $id: id, $kind: kind, $pairedAt: pairedAt, $entry: entry },
      );
    }
  });
}

export async function readDevice(sql: Sql, id: DeviceId): Promise<Device | undefined> {
  const [row] = await sql.all("select * from device where id = $id", { $id: id });
  if (row === undefined) return undefined;
  return {
    id: parseDeviceId(text(row, "id")),
    kind: text(row, "kind") === "camera" ? "camera" : "bodycam",
    pairedAt: moment(row, "paired_at_ms"),
    emptiedAt: optional(row, "emptied_at_ms", moment),
  };
}

/** Records that a camera was seen empty: what it says it recorded before is not to be believed. */
export async function tellEmptied(
  sql: Sql,
  at: Instant,
  id: DeviceId,
  emptiedAt: Instant,
  files: number,
): Promise<void> {
  const changed = await sql.run(
    `update device set emptied_at_ms = $emptiedAt
     where id = $id and coalesce(emptied_at_ms, 0) < $emptiedAt`,
    { $id: id, $emptiedAt: emptiedAt },
  );
  if (changed === 0) return;
  await append(sql, at, [
    { kind: "card.emptied", facts: { device: id, emptiedAt: isoOf(emptiedAt), files } },
  ]);
}
