import type { DeviceId, SegmentId } from "#base/ids";
import { type Instant, isoOf } from "#base/time";
import { append } from "../ledger/append.ts";
import type { Database } from "./sqlite.ts";

/** Records what was not recorded, or not kept: start, end, cause (invariant 9). Repeating is harmless. */
export function recordGap(
  database: Database,
  at: Instant,
  gap: {
    readonly id: SegmentId;
    readonly device: DeviceId;
    readonly startedAt: Instant;
    readonly endedAt: Instant;
    readonly cause: string;
  },
): Promise<void> {
  return database.transaction(async (sql) => {
    const [known] = await sql.all("select id from gap where id = $id", { $id: gap.id });
    if (known) return;
    const { id, device, startedAt, endedAt, cause } = gap;
    const facts = { id, device, startedAt: isoOf(startedAt), endedAt: isoOf(endedAt), cause };
    const entry = await append(sql, at, [{ kind: "gap.recorded", facts }]);
    await sql.run(
      `insert into gap (id, device_id, started_at_ms, ended_at_ms, cause, entry_seq, place_id)
       values ($id, $device, $startedAt, $endedAt, $cause, $entry,
         (select place_id from device where id = $device))`,
      {
        $id: id,
        $device: device,
        $startedAt: startedAt,
        $endedAt: endedAt,
        $cause: cause,
        $entry: entry,
      },
    );
  });
}
