import type { DeviceId, SegmentId } from "#base/ids";
import { type Instant, isoOf } from "#base/time";
import { append } from "../ledger/append.ts";
import type { Database, Sql } from "./sqlite.ts";

/** What was not recorded, or not kept: start, end, cause (invariant 9). */
export interface Gap {
  readonly id: SegmentId;
  readonly device: DeviceId;
  readonly startedAt: Instant;
  readonly endedAt: Instant;
  readonly cause: string;
}

/** Records a gap that a producer tells. Repeating is harmless. */
export function recordGap(database: Database, at: Instant, gap: Gap): Promise<void> {
  return database.transaction(async (sql) => {
    const [known] = await sql.all("select id from gap where id = $id", { $id: gap.id });
    if (!known) await recordGaps(sql, at, [gap]);
  });
}

/** Records gaps nobody has told before, in the transaction that makes them; an entry each. */
export async function recordGaps(sql: Sql, at: Instant, gaps: readonly Gap[]): Promise<void> {
  const [first, ...others] = gaps.map(entryOf);
  if (!first) return;
  const seq = await append(sql, at, [first, ...others]);
  const rows = gaps.map(({ id, device, startedAt, endedAt, cause }) => [
    id,
    device,
    startedAt,
    endedAt,
    cause,
  ]);
  await sql.run(
    `insert into gap (id, device_id, started_at_ms, ended_at_ms, cause, entry_seq, place_id)
     select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, $seq + key,
       (select place_id from device where device.id = value ->> 1)
     from json_each($rows)
     -- A producer may have told a gap under the id of a segment: the entry says what became of both.
     where true on conflict (id) do nothing`,
    { $seq: seq, $rows: JSON.stringify(rows) },
  );
}

function entryOf({ id, device, startedAt, endedAt, cause }: Gap) {
  const facts = { id, device, startedAt: isoOf(startedAt), endedAt: isoOf(endedAt), cause };
  return { kind: "gap.recorded", facts } as const;
}
