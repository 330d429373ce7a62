import { type DeviceId, parseDeviceId } from "#base/ids";
import { HOUR_MS, type Instant, isoOf, MINUTE_MS } from "#base/time";
import { append } from "../ledger/append.ts";
import type { OrderBounds } from "./order-wipe.ts";
import { moment, number, optional, text } from "./row.ts";
import type { Database, Sql, SqlRow } from "./sqlite.ts";

// Orders to set the clocks of cameras: one for each stay of a card, and another only after one that failed, or long after.

/** A stay of a card whose camera's clock is to be set. */
interface AskedTime {
  readonly device: DeviceId;
  readonly docking: string;
  readonly mountedAt: Instant;
  /** The camera's clock less ours, in ms, as measured before; null where it cannot be. */
  readonly offsetMs: number | null;
  readonly zone: string;
}

interface AskedNow extends AskedTime {
  /** So long after one that was done there may be another in the same stay; null: never. */
  readonly againMs: number | null;
}

/** How far the setting of a clock is in this stay of its card. */
export type TimeOrdered =
  | { readonly state: "new" | "open"; readonly nonce: string }
  | { readonly state: "done" }
  | { readonly state: "failed"; readonly why: string }
  /** Something else is ordered for this camera. */
  | { readonly state: "later" };

/** Remembers an order, unless there is one, or was one that came to something, in this stay of the card. */
export function rememberTimeOrder(
  database: Database,
  asked: AskedNow,
  bounds: OrderBounds,
): Promise<TimeOrdered> {
  return database.transaction(async (sql) => {
    const now = await lastOf(sql, asked, bounds);
    if (now !== undefined) return now;
    if (await isAnythingOpen(sql, asked.device, bounds.bootId)) return { state: "later" };
    await sql.run(
      `insert into time_order (nonce, device_id, docking, mounted_at_ms, offset_ms, zone, issued_at_ms,
         expires_at_ms, boot_id, expires_uptime_ms)
       values ($nonce, $device, $docking, $mounted, $offset, $zone, $issuedAt, $expiresAt, $boot, $uptime)`,
      {
        $nonce: bounds.nonce,
        $device: asked.device,
        $docking: asked.docking,
        $mounted: asked.mountedAt,
        $offset: asked.offsetMs,
        $zone: asked.zone,
        $issuedAt: bounds.issuedAt,
        $expiresAt: bounds.expiresAt,
        $boot: bounds.bootId,
        $uptime: bounds.expiresUptimeMs,
      },
    );
    return { state: "new", nonce: bounds.nonce };
  });
}

/**
 * What the orders of this stay have come to; undefined when there may be another. After one that came to nothing there
 * is none for a minute, then for twice as long each time, up to an hour: else a helper that refuses each would fill
 * the ledger.
 */
async function lastOf(
  sql: Sql,
  { device, docking, mountedAt, againMs }: AskedNow,
  { issuedAt, bootId }: OrderBounds,
): Promise<TimeOrdered | undefined> {
  const rows = await sql.all(
    `select nonce, outcome, why, settled_at_ms from time_order where device_id = $device
       and (docking = $docking or (boot_id = $boot and mounted_at_ms = $mounted))
     order by coalesce(settled_at_ms, issued_at_ms), issued_at_ms`,
    { $device: device, $docking: docking, $boot: bootId, $mounted: mountedAt },
  );
  // However the clock was set meanwhile.
  const sinceMs = (row: SqlRow): number => Math.abs(issuedAt - number(row, "settled_at_ms"));
  const outcomes = rows.map((row) => optional(row, "outcome", text));
  const done = rows[outcomes.lastIndexOf("done")];
  if (done !== undefined && (againMs === null || sinceMs(done) < againMs)) return { state: "done" };
  const open = rows.find((_, index) => outcomes[index] === undefined);
  if (open !== undefined) return { state: "open", nonce: text(open, "nonce") };
  const failed = rows.slice(outcomes.lastIndexOf("done") + 1);
  const last = failed.at(-1);
  if (last === undefined) return undefined;
  const waitMs = Math.min(HOUR_MS, MINUTE_MS * 2 ** (failed.length - 1));
  if (sinceMs(last) >= waitMs) return undefined;
  return { state: "failed", why: optional(last, "why", text) ?? text(last, "outcome") };
}

/** Whether any order for this camera could still be at work: there is one at a time for each card. */
async function isAnythingOpen(sql: Sql, device: DeviceId, bootId: string): Promise<boolean> {
  const rows = await sql.all(
    "select 1 from wipe where device_id = $device and boot_id = $boot and outcome is null limit 1",
    { $device: device, $boot: bootId },
  );
  return rows.length > 0 || (await isClockBeingSet(sql, device, bootId));
}

/** Whether an order to set the clock of this camera is open. */
export async function isClockBeingSet(
  sql: Sql,
  device: DeviceId,
  bootId: string,
): Promise<boolean> {
  const rows = await sql.all(
    "select 1 from time_order where device_id = $device and boot_id = $boot and outcome is null limit 1",
    { $device: device, $boot: bootId },
  );
  return rows.length > 0;
}

/** An order of which nobody has said yet what came of it. */
export interface OpenTimeOrder extends AskedTime {
  readonly nonce: string;
  readonly issuedAt: Instant;
  readonly bootId: string;
  readonly expiresUptimeMs: number;
}

/** Every open order, the oldest first. */
export function openTimeOrders(database: Database): Promise<readonly OpenTimeOrder[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      "select * from time_order where outcome is null order by issued_at_ms, nonce",
    );
    return rows.map((row) => ({
      nonce: text(row, "nonce"),
      device: parseDeviceId(text(row, "device_id")),
      docking: text(row, "docking"),
      mountedAt: moment(row, "mounted_at_ms"),
      offsetMs: optional(row, "offset_ms", number) ?? null,
      zone: text(row, "zone"),
      issuedAt: moment(row, "issued_at_ms"),
      bootId: text(row, "boot_id"),
      expiresUptimeMs: number(row, "expires_uptime_ms"),
    }));
  });
}

/** What came of an order to set a clock. */
export interface TimeFate {
  readonly outcome: "done" | "refused" | "failed" | "unreported";
  readonly why: string | null;
  /** By the helper; null where nothing was heard. */
  readonly startedAt: Instant | null;
  readonly endedAt: Instant | null;
}

/** Records what came of an order, with its entry `clock.set`. False when that was recorded before. */
export function recordClockSet(
  database: Database,
  at: Instant,
  { nonce, device, docking, offsetMs, zone, issuedAt }: OpenTimeOrder,
  { outcome, why, startedAt, endedAt }: TimeFate,
): Promise<boolean> {
  return database.transaction(async (sql) => {
    const settled = await sql.run(
      `update time_order set outcome = $outcome, why = $why, settled_at_ms = $at
       where nonce = $nonce and outcome is null`,
      { $nonce: nonce, $outcome: outcome, $why: why, $at: at },
    );
    if (settled === 0) return false;
    const facts = {
      device,
      docking,
      order: nonce,
      offsetMs,
      zone,
      issuedAt: isoOf(issuedAt),
      startedAt: startedAt === null ? null : isoOf(startedAt),
      endedAt: endedAt === null ? null : isoOf(endedAt),
      outcome,
      why,
    };
    await append(sql, at, [{ kind: "clock.set", facts }]);
    return true;
  });
}

/** Orders that were settled before `before` are nobody's question any more. */
export function forgetTimeOrders(database: Database, before: Instant): Promise<number> {
  return database.transaction((sql) =>
    sql.run("delete from time_order where outcome is not null and settled_at_ms < $before", {
      $before: before,
    }),
  );
}
