import { type DeviceId, parseDeviceId, type SegmentId } from "#base/ids";
import type { Instant } from "#base/time";
import { moment, number, text } from "./row.ts";
import { type Segment, segmentOfRow } from "./segments.ts";
import type { Database } from "./sqlite.ts";

export interface Found extends Segment {
  /** `asked`: a hold was requested and is not yet in force. */
  readonly hold: "none" | "asked" | "in force";
}

/** A stretch in which nothing was recorded, with its cause. */
export interface Gap {
  readonly device: DeviceId;
  readonly startedAt: Instant;
  readonly endedAt: Instant;
  readonly cause: string;
}

export interface Window {
  readonly device: DeviceId | undefined;
  readonly from: Instant;
  readonly to: Instant;
}

// The longest recording without a known end that a search still counts in: one shift.
const LONGEST_RECORDING_MS = 8 * 60 * 60 * 1000;

/** Kept segments that touch the window, by either start where clocks changed; destroyed ones too, so that "it was here" can be said. */
export function findSegments(database: Database, window: Window): Promise<readonly Found[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `select segment.*,
         (select count(*) from hold where segment_id = segment.id and released_at_ms is null) as holds,
         (select count(*) from hold where segment_id = segment.id and released_at_ms is null
            and in_force_at_ms is null) as asked
       from segment
       where (
           started_at_ms between $from - ${LONGEST_RECORDING_MS} and $to
             and coalesce(ended_at_ms, started_at_ms + ${LONGEST_RECORDING_MS}) >= $from
           or alternative_start_ms between $from - ${LONGEST_RECORDING_MS} and $to
             and alternative_start_ms
               + coalesce(ended_at_ms - started_at_ms, ${LONGEST_RECORDING_MS}) >= $from
         )
         and ($device is null or device_id = $device)
       order by started_at_ms, device_id limit 10000`,
      { $from: window.from, $to: window.to, $device: window.device ?? null },
    );
    return rows.map((row) => ({
      ...segmentOfRow(row),
      hold: number(row, "holds") === 0 ? "none" : number(row, "asked") > 0 ? "asked" : "in force",
    }));
  });
}

export function findGaps(database: Database, window: Window): Promise<readonly Gap[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `select * from gap where started_at_ms <= $to and ended_at_ms >= $from
         and ($device is null or device_id = $device)
       order by started_at_ms, device_id limit 10000`,
      { $from: window.from, $to: window.to, $device: window.device ?? null },
    );
    return rows.map((row) => ({
      device: parseDeviceId(text(row, "device_id")),
      startedAt: moment(row, "started_at_ms"),
      endedAt: moment(row, "ended_at_ms"),
      cause: text(row, "cause"),
    }));
  });
}

/** What identifies a file on a card without reading it. */
export interface CardFile {
  readonly path: Uint8Array;
  readonly bytes: number;
  readonly modifiedAt: Instant;
}

/** For each file on a card: whether this box has it already, by path, length and time of change. */
export function knownFiles(
  database: Database,
  device: DeviceId,
  files: readonly CardFile[],
): Promise<readonly boolean[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `select wanted.key from json_each($files) as wanted cross join segment
       on segment.device_id = $device and segment.source_path = unhex(wanted.value ->> 0)
         and segment.plaintext_bytes = wanted.value ->> 1
         and segment.source_modified_at_ms = wanted.value ->> 2`,
      {
        $device: device,
        $files: JSON.stringify(
          files.map(({ path, bytes, modifiedAt }) => [
            Buffer.from(path).toString("hex"),
            bytes,
            modifiedAt,
          ]),
        ),
      },
    );
    const known = new Set(rows.map((row) => number(row, "key")));
    return files.map((_, index) => known.has(index));
  });
}

/** One segment by id, or undefined. */
export function readSegment(database: Database, id: SegmentId): Promise<Segment | undefined> {
  return database.transaction(async (sql) => {
    const [row] = await sql.all("select * from segment where id = $id", { $id: id });
    return row === undefined ? undefined : segmentOfRow(row);
  });
}
