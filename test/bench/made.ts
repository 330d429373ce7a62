import { createHash } from "node:crypto";
import { ulid } from "ulid";
import { parseDeviceId, parseSegmentId, type SegmentId } from "#base/ids";
import { DAY_MS, type Instant, instant, isoOf, MINUTE_MS, plus } from "#base/time";
import { recordPaired } from "../../storage/catalog/devices.ts";
import type { Database, Sql } from "../../storage/catalog/sqlite.ts";
import { append } from "../../storage/ledger/append.ts";
import { type Bulk, insert, openBulk, withoutTriggers } from "./bulk.ts";

// Rows as a box makes them, a day a transaction: the same tables, and a ledger that adds up.

export const TERM_MS = 28 * DAY_MS;
export const CAMERAS = Array.from({ length: 50 }, (_, index) =>
  parseDeviceId(`cam-${String(index + 1).padStart(2, "0")}`),
);

export interface Made {
  readonly id: SegmentId;
  readonly startedAt: Instant;
}

/** A day of recording as it is at the end of the story. */
export interface Day {
  readonly from: Instant;
  readonly segments: number;
  /** How many of them, the oldest first, will have been destroyed: `destroyDay` tells the ledger when. */
  readonly destroyed: number;
  /** Not yet evicted from the ring. */
  readonly inSpool: boolean;
}

const CHUNK = 4000;
/** As many as one sweep stores at most; a box that keeps up closes smaller batches, and more of them. */
const STORED_AT_ONCE = 200;
const DESTROYED_AT_ONCE = 1000;
const BYTES = 15_003_000;

export function pairCameras(database: Database, at: Instant): Promise<void> {
  return recordPaired(
    database,
    at,
    CAMERAS.map((id) => ({ id, kind: "camera" as const, pairedAt: at })),
  );
}

/** Segments spread over a day, each sealed, stored, and evicted or destroyed as the day says. */
export async function makeDay(database: Database, day: Day): Promise<readonly SegmentId[]> {
  const ids: SegmentId[] = [];
  await database.transaction((sql) =>
    withoutTriggers(sql, async () => {
      const bulk = await openBulk(sql);
      for (let done = 0; done < day.segments; done += CHUNK) {
        const made = Array.from({ length: Math.min(CHUNK, day.segments - done) }, (_, index) => {
          const at = day.from + Math.floor(((done + index) / day.segments) * DAY_MS);
          return { id: parseSegmentId(ulid(at, Math.random)), startedAt: instant(at) };
        });
        await insertSegments(sql, bulk, made, day, day.destroyed - done);
        for (const { id } of made) ids.push(id);
      }
      await countStates(sql, day);
    }),
  );
  return ids;
}

/** What a day's destruction leaves in the ledger, at its own time. */
export async function destroyDay(
  database: Database,
  at: Instant,
  ids: readonly SegmentId[],
): Promise<void> {
  await database.transaction(async (sql) => {
    const bulk = await openBulk(sql);
    for (let from = 0; from < ids.length; from += DESTROYED_AT_ONCE) {
      const gone = ids.slice(from, from + DESTROYED_AT_ONCE);
      const facts = { versions: 1, missing: false, left: 0 };
      bulk.batch(
        "destroying",
        at,
        gone.map((id) => ({ id, facts: { rule: "term" } })),
      );
      bulk.batch(
        "destroyed",
        at,
        gone.map((id) => ({ id, facts })),
      );
      await bulk.flush();
    }
  });
}

async function insertSegments(
  sql: Sql,
  bulk: Bulk,
  made: readonly Made[],
  day: Day,
  destroyed: number,
): Promise<void> {
  const rows = made.map(({ id, startedAt }, index) => {
    const device = CAMERAS[index % CAMERAS.length] ?? "";
    const sha256 = createHash("sha256").update(id).digest("hex");
    const arrivedAt = plus(startedAt, MINUTE_MS);
    const seq = bulk.entry(arrivedAt, "segment.sealed", factsOf(id, device, startedAt, sha256));
    const gone = index < destroyed;
    const changedAt = gone ? plus(day.from, DAY_MS + TERM_MS) : arrivedAt;
    return [id, device, startedAt, sha256, seq, gone ? "destroyed" : "stored", changedAt];
  });
  const at = plus(made.at(-1)?.startedAt ?? day.from, MINUTE_MS);
  for (let from = 0; from < made.length; from += STORED_AT_ONCE) {
    const some = made.slice(from, from + STORED_AT_ONCE);
    bulk.batch(
      "stored",
      at,
      some.map(({ id }) => ({ id, facts: { version: id } })),
    );
  }
  await bulk.flush();
  await insert(
    sql,
    `segment (id, device_id, producer, started_at_ms, ended_at_ms, time_source, time_trust, arrived_at_ms,
       arrived_boot_id, arrived_uptime_ms, clock_declared, due_at_ms, plaintext_sha256, plaintext_bytes,
       ciphertext_bytes, part_sha256, sealed_for, state, entry_seq)`,
    `?0, ?1, 'record', ?2, ?2 + ${MINUTE_MS}, 'stream', 'trusted', ?2 + ${MINUTE_MS}, 'boot', 1,
       'synchronised', ?2 + ${TERM_MS}, ?3, 15000000, ${BYTES}, unhex(?3), date(?2 / 1000, 'unixepoch'),
       ?5, ?4`,
    rows,
  );
  const copy = "copy (segment_id, place, state, stored, version_id, bytes, changed_at_ms)";
  const there = (present: boolean): string =>
    `case ?5 when 'stored' then '${present ? "present" : "gone"}' else 'gone' end`;
  await insert(sql, copy, `?0, 'spool', ${there(day.inSpool)}, 1, null, ${BYTES}, ?6`, rows);
  await insert(sql, copy, `?0, 'vault', ${there(true)}, 0, ?0, ${BYTES}, ?6`, rows);
}

function factsOf(id: SegmentId, device: string, startedAt: Instant, sha256: string) {
  return {
    id,
    device,
    startedAt: isoOf(startedAt),
    endedAt: isoOf(plus(startedAt, MINUTE_MS)),
    timeSource: "stream",
    timeTrust: "trusted",
    arrivedAt: isoOf(plus(startedAt, MINUTE_MS)),
    dueAt: isoOf(plus(startedAt, TERM_MS)),
    dueProvisional: false,
    plaintextSha256: sha256,
    plaintextBytes: 15_000_000,
    ciphertextBytes: BYTES,
    parts: [sha256],
    sealedFor: isoOf(startedAt).slice(0, 10),
    truncated: false,
  };
}

/** What triggers would have counted. */
async function countStates(sql: Sql, { segments, destroyed, inSpool }: Day): Promise<void> {
  const kept = segments - destroyed;
  const states = "update segment_count set count = count +";
  await sql.run(`${states} $count where state = 'stored'`, { $count: kept });
  await sql.run(`${states} $count where state = 'destroyed'`, { $count: destroyed });
  const bytes = inSpool ? kept * BYTES : 0;
  await sql.run("update spool_use set bytes = bytes + $bytes", { $bytes: bytes });
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
