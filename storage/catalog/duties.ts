import { type DeviceId, type DutyId, parseDeviceId, parseDutyId } from "#base/ids";
import { type Instant, isoOf } from "#base/time";
import { append } from "../ledger/append.ts";
import { moment, number, text } from "./row.ts";
import type { Database, Sql, SqlRow } from "./sqlite.ts";

/** When a camera is covert, by which decision (AR-40). */
export interface CovertPeriod {
  readonly device: DeviceId;
  readonly decision: string;
  readonly from: Instant;
  readonly until: Instant;
}

/** The persons concerned must still be told of a covert camera (AR-41). */
export interface Duty {
  readonly id: DutyId;
  readonly kind: "inform";
  readonly device: DeviceId;
  readonly decision: string;
  readonly startedAt: Instant;
  readonly endedAt: Instant;
  readonly openedAt: Instant;
}

/**
 * Remembers each period that has begun, and opens the duty of each that is over, or that `periods` does not
 * have any more: row and ledger entry together. `periods` are those of the configuration, all of them.
 * Whatever is left to a later turn is found again by it.
 */
export function openDuties(
  database: Database,
  now: Instant,
  periods: readonly CovertPeriod[],
  newId: (at: Instant) => DutyId,
): Promise<void> {
  return database.transaction(async (sql) => {
    for (const period of periods) await remember(sql, now, period, newId);
    for (const row of await over(sql, now, periods)) await open(sql, now, row);
  });
}

async function remember(
  sql: Sql,
  now: Instant,
  { device, decision, from, until }: CovertPeriod,
  newId: (at: Instant) => DutyId,
): Promise<void> {
  const one = { $device: device, $decision: decision, $until: until };
  const moved = await sql.run(
    `update duty set ended_at_ms = $until
     where device_id = $device and decision = $decision and opened_at_ms is null`,
    one,
  );
  if (moved > 0 || now < from) return;
  // One that is done counts to its end: after it the same decision may have been made longer. One that is
  // open stays as it is.
  const [known] = await sql.all(
    `select max(ended_at_ms) as ended_at_ms, max(done_at_ms is null) as open from duty
     where device_id = $device and decision = $decision having count(*) > 0`,
    { $device: device, $decision: decision },
  );
  if (known && (number(known, "open") === 1 || number(known, "ended_at_ms") >= until)) return;
  await sql.run(
    `insert into duty (id, kind, device_id, decision, started_at_ms, ended_at_ms)
     values ($id, 'inform', $device, $decision, $from, $until)`,
    { $id: newId(now), ...one, $from: known ? moment(known, "ended_at_ms") : from },
  );
}

function over(
  sql: Sql,
  now: Instant,
  periods: readonly CovertPeriod[],
): Promise<readonly SqlRow[]> {
  const wanted = periods.map(({ device, decision }) => [device, decision]);
  return sql.all(
    `select * from duty where opened_at_ms is null and (ended_at_ms <= $now or not exists (
       select 1 from json_each($periods)
       where value ->> 0 = duty.device_id and value ->> 1 = duty.decision
     )) order by id`,
    { $now: now, $periods: JSON.stringify(wanted) },
  );
}

async function open(sql: Sql, now: Instant, row: SqlRow): Promise<void> {
  const startedAt = moment(row, "started_at_ms");
  // Cut short by whoever took it out of the configuration.
  const planned = moment(row, "ended_at_ms");
  const endedAt = planned < now ? planned : now;
  const facts = {
    id: text(row, "id"),
    duty: text(row, "kind"),
    device: text(row, "device_id"),
    decision: text(row, "decision"),
    startedAt: isoOf(startedAt),
    endedAt: isoOf(endedAt),
  };
  const entry = await append(sql, now, [{ kind: "duty.opened", facts }]);
  await sql.run(
    `update duty set ended_at_ms = $endedAt, opened_at_ms = $now, entry_seq = $entry where id = $id`,
    { $endedAt: endedAt, $now: now, $entry: entry, $id: facts.id },
  );
}

/** What is still to be done, the oldest first. */
export function readDuties(database: Database): Promise<readonly Duty[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `select * from duty where opened_at_ms is not null and done_at_ms is null
       order by opened_at_ms, id`,
    );
    return rows.map((row) => ({
      id: parseDutyId(text(row, "id")),
      kind: "inform",
      device: parseDeviceId(text(row, "device_id")),
      decision: text(row, "decision"),
      startedAt: moment(row, "started_at_ms"),
      endedAt: moment(row, "ended_at_ms"),
      openedAt: moment(row, "opened_at_ms"),
    }));
  });
}

/** Ticks a duty off, with its ledger entry. False when there is no such one that is open. */
export function closeDuty(
  database: Database,
  now: Instant,
  id: DutyId,
  by: string,
  reference: string,
): Promise<boolean> {
  return database.transaction(async (sql) => {
    const [row] = await sql.all(
      `update duty set done_at_ms = $now, done_by = $by, reference = $reference
       where id = $id and opened_at_ms is not null and done_at_ms is null returning device_id`,
      { $id: id, $now: now, $by: by, $reference: reference },
    );
    if (row === undefined) return false;
    const facts = { id, device: text(row, "device_id"), by, reference };
    await append(sql, now, [{ kind: "duty.done", facts }]);
    return true;
  });
}
