import { type DeviceId, parseDeviceId, parseSegmentId, type SegmentId } from "#base/ids";
import type { Instant } from "#base/time";
import { bytes, moment, number, optional, text } from "./row.ts";
import type { Database, Sql, SqlRow } from "./sqlite.ts";

// Orders to wipe cards: those that are open, and what is known of each.

/** An order of which nobody has said yet what came of it. */
export interface OpenWipe {
  readonly nonce: string;
  readonly device: DeviceId;
  readonly docking: string;
  readonly how: string;
  readonly issuedAt: Instant;
  readonly expiresAt: Instant;
  readonly bootId: string;
  readonly expiresUptimeMs: number;
  readonly whole: boolean;
  readonly others: number;
  /** What its files have together: reading them takes its time. */
  readonly bytes: number;
}

const OPEN = `select wipe.*, (select coalesce(sum(plaintext_bytes), 0) from wipe_file
    join segment on segment.id = segment_id where wipe_file.nonce = wipe.nonce) as bytes
  from wipe where outcome is null`;

/** Every open order, the oldest first. */
export function openWipes(database: Database): Promise<readonly OpenWipe[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(`${OPEN} order by issued_at_ms, nonce`);
    return rows.map(openWipeOf);
  });
}

/** The order `nonce` while it is open. */
export async function openWipe(sql: Sql, nonce: string): Promise<OpenWipe | undefined> {
  const [row] = await sql.all(`${OPEN} and nonce = $nonce`, { $nonce: nonce });
  return row && openWipeOf(row);
}

function openWipeOf(row: SqlRow): OpenWipe {
  return {
    nonce: text(row, "nonce"),
    device: parseDeviceId(text(row, "device_id")),
    docking: text(row, "docking"),
    how: text(row, "how"),
    issuedAt: moment(row, "issued_at_ms"),
    expiresAt: moment(row, "expires_at_ms"),
    bootId: text(row, "boot_id"),
    expiresUptimeMs: number(row, "expires_uptime_ms"),
    whole: number(row, "whole") === 1,
    others: number(row, "others"),
    bytes: number(row, "bytes"),
  };
}

/** What came of an order, as JSON; null while it is open, undefined for one that this box does not know. */
export function toldOfWipe(database: Database, nonce: string): Promise<string | null | undefined> {
  return database.transaction(async (sql) => {
    const [row] = await sql.all("select told from wipe where nonce = $nonce", { $nonce: nonce });
    return row && (optional(row, "told", text) ?? null);
  });
}

/** A file of an order, and the segment that it is. */
export interface WipeFile {
  readonly segment: SegmentId;
  readonly path: Buffer;
  readonly bytes: number;
  readonly modifiedAt: Instant;
}

/** The files of an order, by their place in it. */
export async function filesOfWipe(sql: Sql, nonce: string): Promise<readonly WipeFile[]> {
  const rows = await sql.all(
    `select segment.id, source_path, plaintext_bytes, source_modified_at_ms from wipe_file
     join segment on segment.id = segment_id where nonce = $nonce order by position`,
    { $nonce: nonce },
  );
  return rows.map((row) => ({
    segment: parseSegmentId(text(row, "id")),
    path: bytes(row, "source_path"),
    bytes: number(row, "plaintext_bytes"),
    modifiedAt: moment(row, "source_modified_at_ms"),
  }));
}
