import { type DeviceId, parseDeviceId } from "#base/ids";
import { DAY_MS, type Instant, instant, isoOf } from "#base/time";
import { append } from "../ledger/append.ts";
import { readDevice } from "./devices.ts";
import { moment, number, optional, text } from "./row.ts";
import type { Database, Sql, SqlRow } from "./sqlite.ts";

/** Days after it happened on which people are reminded: before the footage is gone on day 28. */
const REMIND_DAYS = [0, 7, 14, 21];
const GONE_DAY = 28;

/** That something happened before a camera, as a coordinator said: no hold, and no due moment moves for it. */
export interface Mark {
  readonly id: string;
  readonly device: DeviceId;
  readonly startedAt: Instant;
  readonly endedAt: Instant;
  /** A role. */
  readonly by: string;
}

/** A mark, and what there is of its footage. */
export interface MarkState extends Mark {
  readonly markedAt: Instant;
  /** How many segments touch it that nobody holds and that are not gone. */
  readonly open: number;
  readonly held: number;
  /** When the first of the open ones is due; undefined where there is none. */
  readonly dueAt: Instant | undefined;
}

/** Records a mark with its ledger entry: what the desk has of it. False for a camera that this box does not know. */
export function recordMark(database: Database, at: Instant, mark: Mark): Promise<boolean> {
  return database.transaction(async (sql) => {
    if (!(await readDevice(sql, mark.device))) return false;
    await writeMark(sql, at, mark);
    const { id, device, startedAt, endedAt, by } = mark;
    const facts = { id, device, startedAt: isoOf(startedAt), endedAt: isoOf(endedAt), by };
    await append(sql, at, [{ kind: "incident.marked", facts }]);
    return true;
  });
}

/** Writes its row; of what is over already nobody is reminded. */
export async function writeMark(sql: Sql, at: Instant, mark: Mark): Promise<void> {
  await sql.run(
    `insert into mark (id, device_id, started_at_ms, ended_at_ms, by, marked_at_ms, reminded_day)
     values ($id, $device, $startedAt, $endedAt, $by, $at, $day) on conflict do nothing`,
    {
      $id: mark.id,
      $device: mark.device,
      $startedAt: mark.startedAt,
      $endedAt: mark.endedAt,
      $by: mark.by,
      $at: at,
      $day: remindDay(mark.startedAt, at),
    },
  );
}

/** Every mark whose footage may still be there, the oldest first. */
export function readMarks(database: Database): Promise<readonly MarkState[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(`${MARKS} order by mark.started_at_ms, mark.id`);
    return rows.map(stateOf);
  });
}

/**
 * Marks to remind of at `now`, with the day that it is of; each once. Leaves out those whose footage is all held. What
 * happened 28 days ago is forgotten: its footage is held or gone, and the entry stays.
 */
export function takeReminders(
  database: Database,
  now: Instant,
): Promise<readonly { readonly mark: MarkState; readonly day: number }[]> {
  return database.transaction(async (sql) => {
    await sql.run("delete from mark where started_at_ms <= $before", {
      $before: now - GONE_DAY * DAY_MS,
    });
    const marks = await sql.all(MARKS);
    const due = marks.flatMap((row) => {
      const mark = stateOf(row);
      const day = remindDay(mark.startedAt, now);
      return day > number(row, "reminded_day") ? [{ mark, day }] : [];
    });
    for (const { mark, day } of due)
      await sql.run("update mark set reminded_day = $day where id = $id", {
        $day: day,
        $id: mark.id,
      });
    // Without any footage known here somebody must still find out where it is.
    return due.filter(({ mark }) => mark.open > 0 || mark.held === 0);
  });
}

const HELD = "exists (select 1 from hold where segment_id = segment.id and released_at_ms is null)";
const MARKS = `select mark.*,
    coalesce(sum(not ${HELD} and segment.state in ('sealed', 'stored')), 0) as open,
    coalesce(sum(${HELD}), 0) as held,
    min(case when not ${HELD} and segment.state in ('sealed', 'stored') then segment.due_at_ms end) as due_at_ms
  from mark left join segment on segment.device_id = mark.device_id
    and segment.started_at_ms <= mark.ended_at_ms
    and coalesce(segment.ended_at_ms, segment.started_at_ms) >= mark.started_at_ms
  group by mark.id`;

function stateOf(row: SqlRow): MarkState {
  return {
    id: text(row, "id"),
    device: parseDeviceId(text(row, "device_id")),
    startedAt: moment(row, "started_at_ms"),
    endedAt: moment(row, "ended_at_ms"),
    by: text(row, "by"),
    markedAt: moment(row, "marked_at_ms"),
    open: number(row, "open"),
    held: number(row, "held"),
    dueAt: optional(row, "due_at_ms", moment),
  };
}

function remindDay(startedAt: Instant, now: Instant): number {
  const days = Math.floor((instant(Math.max(now, startedAt)) - startedAt) / DAY_MS);
  return REMIND_DAYS.findLast((day) => day <= days) ?? 0;
}
