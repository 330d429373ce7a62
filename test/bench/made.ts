import { createHash } from "node:crypto";
import { ulid } from "ulid";
import { parseDeviceId, parseSegmentId, type SegmentId } from "#base/ids";
import { DAY_MS, type Instant, instant, isoOf, MINUTE_MS } from "#base/time";
import { addToBatch, closeBatch } from "../../storage/catalog/batches.ts";
import { recordPaired } from "../../storage/catalog/devices.ts";
import type { Database, Sql } from "../../storage/catalog/sqlite.ts";
import { append } from "../../storage/ledger/append.ts";
import type { Entry } from "../../storage/ledger/entry.ts";

// Rows as a box makes them, thousands a transaction: through the same tables, triggers and ledger.

export const TERM_MS = 28 * DAY_MS;
export const CAMERAS = Array.from({ length: 50 }, (_, index) =>
  parseDeviceId(`cam-${String(index + 1).padStart(2, "0")}`),
);

export interface Made {
  readonly id: SegmentId;
  readonly startedAt: Instant;
}

const CHUNK = 2000;

export function pairCameras(database: Database, at: Instant): Promise<void> {
  return recordPaired(
    database,
    at,
    CAMERAS.map((id) => ({ id, kind: "camera" as const, pairedAt: at })),
  );
}

/** `count` segments spread over [`from`, `to`), sealed as they came, stored, and evicted from the ring if asked. */
export async function makeSegments(
  database: Database,
  from: Instant,
  to: Instant,
  count: number,
  inSpool: boolean,
): Promise<readonly SegmentId[]> {
  const ids: SegmentId[] = [];
  for (let done = 0; done < count; done += CHUNK) {
    const some = Math.min(CHUNK, count - done);
    const made = Array.from({ length: some }, (_, index): Made => {
      const at = from + Math.floor(((done + index) / count) * (to - from));
      return { id: parseSegmentId(ulid(at)), startedAt: instant(at) };
    });
    await database.transaction(async (sql) => {
      await insertSegments(sql, made, inSpool);
      const rows = made.map(({ id }) => ({ id, facts: { version: ulid() } }));
      const at = instant((made.at(-1)?.startedAt ?? from) + MINUTE_MS);
      // As many as one sweep stores at most; a box that keeps up closes smaller ones, and more of them.
      for (let batch = 0; batch < rows.length; batch += 200) {
        await addToBatch(sql, "stored", at, rows.slice(batch, batch + 200));
        await closeBatch(sql, "stored", at);
      }
    });
    ids.push(...made.map(({ id }) => id));
  }
  return ids;
}

async function insertSegments(sql: Sql, made: readonly Made[], inSpool: boolean): Promise<void> {
  const rows = made.map((one, index) => ({
    ...one,
    device: CAMERAS[index % CAMERAS.length] ?? "",
    sha256: createHash("sha256").update(one.id).digest("hex"),
  }));
  const entries = rows.map(({ id, device, startedAt, sha256 }): Entry => {
    const facts = {
      id,
      device,
      startedAt: isoOf(startedAt),
      endedAt: isoOf(instant(startedAt + MINUTE_MS)),
      timeSource: "stream",
      timeTrust: "trusted",
      arrivedAt: isoOf(instant(startedAt + MINUTE_MS)),
      dueAt: isoOf(instant(startedAt + TERM_MS)),
      dueProvisional: false,
      plaintextSha256: sha256,
      plaintextBytes: 15_000_000,
      ciphertextBytes: 15_003_000,
      parts: [sha256],
      sealedFor: isoOf(startedAt).slice(0, 10),
      truncated: false,
    };
    return { kind: "segment.sealed", facts };
  });
  const [first, ...rest] = entries;
  const last = rows.at(-1);
  if (!first || !last) return;
  const seq = await append(sql, instant(last.startedAt + MINUTE_MS), [first, ...rest]);
  const params = { $rows: JSON.stringify(rows) };
  await sql.run(
    `insert into segment (id, device_id, producer, started_at_ms, ended_at_ms, time_source, time_trust,
       arrived_at_ms, arrived_boot_id, arrived_uptime_ms, clock_declared, due_at_ms, plaintext_sha256,
       plaintext_bytes, ciphertext_bytes, part_sha256, sealed_for, state, entry_seq)
     select value ->> 'id', value ->> 'device', 'record', value ->> 'startedAt',
       (value ->> 'startedAt') + ${MINUTE_MS}, 'stream', 'trusted', (value ->> 'startedAt') + ${MINUTE_MS},
       'boot', 1, 'synchronised', (value ->> 'startedAt') + ${TERM_MS}, value ->> 'sha256',
       15000000, 15003000, unhex(value ->> 'sha256'), date((value ->> 'startedAt') / 1000, 'unixepoch'),
       'sealed', $seq + key
     from json_each($rows)`,
    { ...params, $seq: seq },
  );
  for (const [place, state] of [
    ["spool", inSpool ? "present" : "gone"],
    ["vault", "present"],
  ]) {
    await sql.run(
      `insert into copy (segment_id, place, state, version_id, bytes, changed_at_ms)
       select value ->> 'id', '${place}', '${state}',
         case '${place}' when 'vault' then value ->> 'id' end, 15003000, (value ->> 'startedAt') + ${MINUTE_MS}
       from json_each($rows)`,
      params,
    );
  }
  await sql.run(
    "update segment set state = 'stored' where id in (select value ->> 'id' from json_each($rows))",
    params,
  );
}

/** Gaps and holds, some: every thousandth segment of `ids` is held, and in force. */
export async function makeHolds(
  database: Database,
  at: Instant,
  ids: readonly string[],
): Promise<void> {
  const held = ids.filter((_, index) => index % 1000 === 0);
  await database.transaction(async (sql) => {
    const facts = { hold: ulid(at), incident: "2026-1", desk: 1, segments: held.length };
    const entry = await append(sql, at, [{ kind: "hold.requested", facts }]);
    await sql.run(
      `insert into hold (hold_id, segment_id, incident, desk_number, review_at_ms, requested_at_ms, in_force_at_ms, entry_seq)
       select $hold, value, '2026-1', 1, $at, $at, $at, $entry from json_each($held)`,
      { $hold: facts.hold, $held: JSON.stringify(held), $at: at, $entry: entry },
    );
  });
}

export async function makeGaps(database: Database, from: Instant, count: number): Promise<void> {
  await database.transaction(async (sql) => {
    const entry = await append(sql, from, [{ kind: "gap.recorded", facts: { cause: "bench" } }]);
    const gaps = Array.from({ length: count }, (_, index) => ({
      id: ulid(),
      device: CAMERAS[index % CAMERAS.length] ?? "",
      at: from + index * 5 * MINUTE_MS,
    }));
    await sql.run(
      `insert into gap (id, device_id, started_at_ms, ended_at_ms, cause, entry_seq)
       select value ->> 'id', value ->> 'device', value ->> 'at', (value ->> 'at') + 30000, 'camera-unreachable', $entry
       from json_each($gaps)`,
      { $gaps: JSON.stringify(gaps), $entry: entry },
    );
  });
}
