import { type DeviceId, parseDeviceId, type SegmentId } from "#base/ids";
import type { Instant } from "#base/time";
import { placesLike } from "./place.ts";
import { moment, number, optional, text } from "./row.ts";
import { type Segment, segmentOfRow } from "./segment-row.ts";
import type { Database, Sql, SqlRow } from "./sqlite.ts";

export interface Found extends Segment {
  /** `asked`: a hold was requested and is not yet in force. */
  readonly hold: "none" | "asked" | "in force";
  /** A hold that comes later is too late: when it is due, or its lock in the bucket ends. */
  readonly holdableUntil: Instant;
  /** Where its camera was used when it was adopted; undefined where nobody said. */
  readonly place: string | undefined;
}

/** A stretch in which nothing was recorded, with its cause. */
export interface Gap {
  readonly id: string;
  readonly device: DeviceId;
  readonly place: string | undefined;
  readonly startedAt: Instant;
  readonly endedAt: Instant;
  readonly cause: string;
}

export interface Window {
  readonly device: DeviceId | undefined;
  readonly from: Instant;
  readonly to: Instant;
}

/** Which part of a window to give. What is found is in order of start, then id. */
export interface Part {
  /** Part of a place's name; undefined for everywhere. */
  readonly place: string | undefined;
  /** The last one of the part before this one; undefined for the first. */
  readonly after: { readonly startedAt: Instant; readonly id: string } | undefined;
  readonly limit: number;
}

const WHOLE: Part = { place: undefined, after: undefined, limit: 10_000 };

// The longest recording without a known end that a search still counts in: one shift.
const LONGEST_RECORDING_MS = 8 * 60 * 60 * 1000;

// What came twice, or never, lies at most this far apart; in Troll, Antarctica, two hours.
const CLOCKS_CHANGE_MS = 2 * 60 * 60 * 1000;

/**
 * Kept segments that touch the window, by either start where clocks changed, in order of the earlier;
 * destroyed ones too, so that "it was here" can be said.
 */
export function findSegments(
  database: Database,
  window: Window,
  part: Part = WHOLE,
): Promise<readonly Found[]> {
  return database.transaction(async (sql) => {
    const rows = await searched(sql, window, part, "segment", (narrowed, hint) => ({
      text: `select segment.*,
         (select name from place where place.id = segment.place_id) as place,
         (select count(*) from hold where segment_id = segment.id and released_at_ms is null) as holds,
         (select count(*) from hold where segment_id = segment.id and released_at_ms is null
            and in_force_at_ms is null) as asked
       from segment ${hint}
       where started_at_ms between $earliest and $to
         and (coalesce(ended_at_ms, started_at_ms + ${LONGEST_RECORDING_MS}) >= $from
           or alternative_start_ms
             + coalesce(ended_at_ms - started_at_ms, ${LONGEST_RECORDING_MS}) >= $from)
         ${narrowed}`,
      earliest: window.from - LONGEST_RECORDING_MS - CLOCKS_CHANGE_MS,
    }));
    return rows.map((row) => ({
      ...segmentOfRow(row),
      hold: number(row, "holds") === 0 ? "none" : number(row, "asked") > 0 ? "asked" : "in force",
      holdableUntil: optional(row, "locked_until_ms", moment) ?? moment(row, "due_at_ms"),
      place: optional(row, "place", text),
    }));
  });
}

/** Gaps that touch the window, by start. */
export function findGaps(
  database: Database,
  window: Window,
  part: Part = WHOLE,
): Promise<readonly Gap[]> {
  return database.transaction(async (sql) => {
    const rows = await searched(sql, window, part, "gap", (narrowed) => ({
      text: `select gap.*, (select name from place where place.id = gap.place_id) as place
       from gap
       where started_at_ms between $earliest and $to and ended_at_ms >= $from ${narrowed}`,
      // A gap has its end: it may have begun long before.
      earliest: 0,
    }));
    return rows.map((row) => ({
      id: text(row, "id"),
      device: parseDeviceId(text(row, "device_id")),
      place: optional(row, "place", text),
      startedAt: moment(row, "started_at_ms"),
      endedAt: moment(row, "ended_at_ms"),
      cause: text(row, "cause"),
    }));
  });
}

/** Up to so many places are searched one by one; among more, what comes next in time is soon one of them. */
const FEW_PLACES = 8;

/** Searches so that each query is a walk along an index that ends at the limit. */
async function searched(
  sql: Sql,
  window: Window,
  { place, after, limit }: Part,
  table: "segment" | "gap",
  query: (narrowed: string, hint: string) => { readonly text: string; readonly earliest: number },
): Promise<readonly SqlRow[]> {
  const ids = place === undefined ? [] : (await placesLike(sql, place)).map(({ id }) => id);
  const each = ids.length > FEW_PLACES ? [ids] : ids.map((id) => [id]);
  const searches = place === undefined ? [undefined] : each;
  const rows: SqlRow[] = [];
  for (const among of searches) {
    const alone = among?.length === 1;
    const narrowed = [
      window.device === undefined ? "" : "and device_id = $device",
      among === undefined ? "" : `and ${table}.place_id `,
      among === undefined ? "" : alone ? "= $place" : "in (select value from json_each($place))",
      after === undefined ? "" : "and (started_at_ms, id) > ($afterMs, $afterId)",
      "order by started_at_ms, id limit $limit",
    ].join(" ");
    // Without statistics SQLite takes the index on time, and reads the rows of every place.
    const { text: statement, earliest } = query(narrowed, alone ? "indexed by segment_place" : "");
    const found = await sql.all(statement, {
      $from: window.from,
      $to: window.to,
      $earliest: Math.max(earliest, after?.startedAt ?? 0),
      $limit: limit,
      ...(window.device === undefined ? {} : { $device: window.device }),
      ...(among === undefined ? {} : { $place: alone ? (among[0] ?? 0) : JSON.stringify(among) }),
      ...(after === undefined ? {} : { $afterMs: after.startedAt, $afterId: after.id }),
    });
    rows.push(...found);
  }
  return searches.length === 1 ? rows : rows.toSorted(byStart).slice(0, limit);
}

function byStart(a: SqlRow, b: SqlRow): number {
  return (
    number(a, "started_at_ms") - number(b, "started_at_ms") ||
    text(a, "id").localeCompare(text(b, "id"))
  );
}

/** What the catalog can say of a search that found nothing: its first recording, and the places there are. */
export function catalogReach(
  database: Database,
  place: string | undefined,
): Promise<{ readonly from: Instant | undefined; readonly places: readonly string[] }> {
  return database.transaction(async (sql) => {
    const [first] = await sql.all("select min(started_at_ms) as first from segment");
    const places = await placesLike(sql, place ?? "");
    return { from: optional(first, "first", moment), places: places.map(({ name }) => name) };
  });
}

/** What identifies a file on a card without reading it. */
export interface CardFile {
  readonly path: Uint8Array;
  readonly bytes: number;
  readonly modifiedAt: Instant;
}

/**
 * For each file on a card: whether this box has it already, by path, length and time of change. Not where a second
 * read of it gave other bytes, nor where it was wiped: what looks like it now is another recording, of a camera whose
 * clock began again. Those are taken.
 */
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
         and segment.source_modified_at_ms = wanted.value ->> 2
         and segment.wiped_at_ms is null
       where not exists (select 1 from wipe_doubt where device_id = $device and retake = 1
         and path = segment.source_path and bytes = segment.plaintext_bytes
         and modified_at_ms = segment.source_modified_at_ms)`,
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
