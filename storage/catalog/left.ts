import { type DeviceId, parseDeviceId, parseSegmentId, type SegmentId } from "#base/ids";
import { type Instant, isoOf } from "#base/time";
import { append } from "../ledger/append.ts";
import type { Window } from "./find.ts";
import { bytes, moment, number, optional, text } from "./row.ts";
import type { Database, Sql } from "./sqlite.ts";

/** A file or folder on a card that could not be taken: it is nowhere else. */
export interface LeftFile {
  readonly id: SegmentId;
  readonly device: DeviceId;
  /** Path on the card, as bytes. */
  readonly path: Uint8Array;
  /** As listed; undefined for a folder. */
  readonly bytes: number | undefined;
  readonly modifiedAt: Instant | undefined;
  /** Why it could not be taken: an ErrorCode. */
  readonly code: string;
  readonly decideBy: Instant;
}

/** Records what stays on a card, once: row and ledger entry, without its name. True when it is new. */
export function recordLeft(database: Database, at: Instant, file: LeftFile): Promise<boolean> {
  return database.transaction(async (sql) => {
    const [known] = await sql.all(
      `select id from left_file where id = $id or (taken_at_ms is null and device_id = $device
         and path = $path and code = $code and bytes is $bytes and modified_at_ms is $modifiedAt)`,
      {
        $id: file.id,
        $device: file.device,
        $path: file.path,
        $code: file.code,
        $bytes: file.bytes ?? null,
        $modifiedAt: file.modifiedAt ?? null,
      },
    );
    if (known) return false;
    const { id, device, code } = file;
    const facts = { id, device, code, bytes: file.bytes ?? null, decideBy: isoOf(file.decideBy) };
    const entry = await append(sql, at, [{ kind: "file.left", facts }]);
    await sql.run(
      `insert into left_file
         (id, device_id, path, bytes, modified_at_ms, code, left_at_ms, decide_by_ms, entry_seq)
       values ($id, $device, $path, $bytes, $modifiedAt, $code, $at, $decideBy, $entry)`,
      {
        $id: id,
        $device: device,
        $path: file.path,
        $bytes: file.bytes ?? null,
        $modifiedAt: file.modifiedAt ?? null,
        $code: code,
        $at: at,
        $decideBy: file.decideBy,
        $entry: entry,
      },
    );
    return true;
  });
}

/** Closes what was left of `path`, or of a folder above it, now that it was taken as `segment`. */
export async function recordTaken(
  sql: Sql,
  at: Instant,
  device: DeviceId,
  path: Uint8Array,
  segment: SegmentId,
): Promise<void> {
  const rows = await sql.all(
    `update left_file set taken_at_ms = $at, taken_as = $segment
     where taken_at_ms is null and device_id = $device and (path = $path or (bytes is null and (
       length(path) = 0 or substr($path, 1, length(path) + 1) = cast(path || '/' as blob))))
     returning id`,
    { $at: at, $segment: segment, $device: device, $path: path },
  );
  for (const row of rows) {
    const facts = { id: text(row, "id"), device, segment };
    await append(sql, at, [{ kind: "file.taken", facts }]);
  }
}

/** How many files stay on cards past the moment that somebody must have decided by. */
export function countUndecided(database: Database, now: Instant): Promise<number> {
  return database.transaction(async (sql) => {
    const [row] = await sql.all(
      `select count(*) as files from left_file where taken_at_ms is null and decide_by_ms <= $now`,
      { $now: now },
    );
    return number(row, "files");
  });
}

/** How many files stay on cards, and the first moment somebody must have decided by. */
export function countLeft(
  database: Database,
): Promise<{ readonly files: number; readonly decideBy: Instant | undefined }> {
  return database.transaction(async (sql) => {
    const [row] = await sql.all(
      `select count(*) as files, min(decide_by_ms) as decide_by_ms from left_file
       where taken_at_ms is null`,
    );
    return { files: number(row, "files"), decideBy: optional(row, "decide_by_ms", moment) };
  });
}

/** What stays on cards and may have been recorded in the window: last changed in it, or nobody knows. */
export function findLeft(database: Database, window: Window): Promise<readonly LeftFile[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `select * from left_file where taken_at_ms is null
         and ($device is null or device_id = $device)
         and (modified_at_ms is null or modified_at_ms between $from and $to)
       order by decide_by_ms, id limit 10000`,
      { $from: window.from, $to: window.to, $device: window.device ?? null },
    );
    return rows.map((row) => ({
      id: parseSegmentId(text(row, "id")),
      device: parseDeviceId(text(row, "device_id")),
      path: bytes(row, "path"),
      bytes: optional(row, "bytes", number),
      modifiedAt: optional(row, "modified_at_ms", moment),
      code: text(row, "code"),
      decideBy: moment(row, "decide_by_ms"),
    }));
  });
}
