import type { DeviceId } from "#base/ids";
import type { CardFile } from "./find.ts";
import type { OpenWipe, WipeFile } from "./open-wipes.ts";
import { number } from "./row.ts";
import type { Sql } from "./sqlite.ts";

// Files that an order left on their card.

/** Orders that left a file on its card before somebody has to look at it. */
export const DOUBTS = 3;

/** A card that was pulled out, or a helper that was cut off, says nothing about a file; other bytes always do. */
export function isDoubtful(outcome: string, why: string): boolean {
  return why === "changed" || (outcome === "done" && why !== "gone");
}

/** Remembers that an order left a file on its card; true when that was once too often. */
export async function doubt(
  sql: Sql,
  { device }: OpenWipe,
  file: WipeFile,
  why: string,
): Promise<boolean> {
  const [row] = await sql.all(
    `insert into wipe_doubt (device_id, path, bytes, modified_at_ms, times, why, retake)
     values ($device, $path, $bytes, $modifiedAt, 1, $why, $retake)
     on conflict do update set times = times + 1, why = excluded.why, retake = excluded.retake
     returning times`,
    { ...keyOf(device, file), $why: why, $retake: why === "changed" ? 1 : 0 },
  );
  return number(row, "times") >= DOUBTS;
}

/**
 * Remembers that a file which an order had removed is on its card again. How often, no next removal forgets: a card
 * that brings it back for ever is one for people.
 */
export async function recordReturned(sql: Sql, device: DeviceId, file: CardFile): Promise<void> {
  await sql.run(
    `insert into wipe_doubt (device_id, path, bytes, modified_at_ms, times, why, retake)
     values ($device, $path, $bytes, $modifiedAt, 1, 'returned', 0)
     on conflict do update set times = times + 1, why = excluded.why, retake = 0`,
    keyOf(device, file),
  );
}

/** The file is gone, and every doubt with it, but for one that it will be back. */
export async function settleDoubt(sql: Sql, { device }: OpenWipe, file: WipeFile): Promise<void> {
  await sql.run(
    `delete from wipe_doubt where device_id = $device and path = $path and bytes = $bytes
       and modified_at_ms = $modifiedAt and why <> 'returned'`,
    keyOf(device, file),
  );
}

/** Says that a file was read whole from its card, whatever came of it: it need not be taken again. */
export async function recordRead(sql: Sql, device: DeviceId, file: CardFile): Promise<void> {
  await sql.run(
    `update wipe_doubt set retake = 0 where device_id = $device and path = $path
       and bytes = $bytes and modified_at_ms = $modifiedAt and retake = 1`,
    keyOf(device, file),
  );
}

function keyOf(device: string, { path, bytes, modifiedAt }: CardFile) {
  return { $device: device, $path: path, $bytes: bytes, $modifiedAt: modifiedAt } as const;
}
