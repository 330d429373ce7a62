import { HOUR_MS, type Instant, MINUTE_MS } from "#base/time";
import { type Asked, judged, type OrderedFile } from "./judge-wipe.ts";
import { number, text } from "./row.ts";
import type { Database, Sql } from "./sqlite.ts";
import { isClockBeingSet } from "./time-orders.ts";

// Orders to wipe cards: what is ordered.

/** What bounds an order: by the wall clock, and by the clock that nobody sets. */
export interface OrderBounds {
  readonly nonce: string;
  readonly issuedAt: Instant;
  readonly expiresAt: Instant;
  readonly bootId: string;
  readonly expiresUptimeMs: number;
}

export interface Bounds extends OrderBounds {
  /** So many files at most. */
  readonly limit: number;
  /** And so many bytes of their paths. */
  readonly pathBytes: number;
}

/** What came of asking. `waiting` may go later by itself; `stuck` only when somebody, or the law, decides. */
export interface Answered {
  /** The order that is open for this docking, or the new one; undefined when there is nothing to remove now. */
  readonly nonce: string | undefined;
  /** Of a new order: to be signed and written now. */
  readonly files: readonly OrderedFile[];
  readonly waiting: number;
  readonly stuck: number;
  /** Paths of the waiting ones that are to be read once more. */
  readonly again: readonly Uint8Array[];
  /** How many are on the card again after an earlier order removed them. */
  readonly returned: number;
}

/** Judges the files of a card and remembers an order for those that may go, in one transaction. */
export function rememberWipe(database: Database, asked: Asked, bounds: Bounds): Promise<Answered> {
  return database.transaction(async (sql) => {
    const { ready, waiting, ...rest } = await judged(sql, asked, bounds.issuedAt);
    const open = await openFor(sql, asked, bounds);
    const mayNot =
      open !== undefined ||
      ready.length === 0 ||
      (await isTooSoon(sql, asked, bounds)) ||
      (await isClockBeingSet(sql, asked.device, bounds.bootId));
    if (mayNot) {
      const nonce = open?.own ? open.nonce : undefined;
      return { nonce, files: [], waiting: waiting + ready.length, ...rest };
    }
    const files = withinBounds(ready, bounds);
    await insertOrder(
      sql,
      asked,
      bounds,
      files,
      waiting + rest.stuck + ready.length === files.length,
    );
    const later = waiting + ready.length - files.length;
    return { nonce: bounds.nonce, files, waiting: later, ...rest };
  });
}

function withinBounds(
  ready: readonly OrderedFile[],
  { limit, pathBytes }: Bounds,
): readonly OrderedFile[] {
  const within: OrderedFile[] = [];
  let bytes = 0;
  for (const file of ready.slice(0, limit)) {
    bytes += file.path.length;
    if (bytes > pathBytes) break;
    within.push(file);
  }
  return within;
}

/** What would come of asking while nothing may be ordered: every file waits, or is stuck. */
export function countForWipe(
  database: Database,
  asked: Asked,
  now: Instant,
): Promise<Omit<Answered, "nonce" | "files">> {
  return database.transaction(async (sql) => {
    const { ready, waiting, ...rest } = await judged(sql, asked, now);
    return { waiting: waiting + ready.length, ...rest };
  });
}

/** The open order of this docking, or that another one of this camera could still be carried out. */
async function openFor(
  sql: Sql,
  { device, docking }: Asked,
  { issuedAt, expiresAt, bootId, expiresUptimeMs }: Bounds,
): Promise<{ readonly nonce: string; readonly own: boolean } | undefined> {
  const rows = await sql.all(
    `select nonce, docking,
       boot_id = $boot and expires_at_ms > $now and expires_uptime_ms > $uptime as fresh
     from wipe where device_id = $device and outcome is null order by issued_at_ms desc`,
    {
      $device: device,
      $now: issuedAt,
      $boot: bootId,
      $uptime: expiresUptimeMs - (expiresAt - issuedAt),
    },
  );
  const own = rows.find((row) => text(row, "docking") === docking);
  if (own !== undefined) return { nonce: text(own, "nonce"), own: true };
  const other = rows.find((row) => number(row, "fresh") === 1);
  return other && { nonce: text(other, "nonce"), own: false };
}

/**
 * Whether the orders of this docking that came to nothing are too fresh for another one: a minute after the first,
 * twice as long after each next, an hour at most. Else a helper that refuses each would fill the ledger.
 */
async function isTooSoon(sql: Sql, { docking }: Asked, { issuedAt }: Bounds): Promise<boolean> {
  const [row] = await sql.all(
    `select count(*) as times, coalesce(max(settled_at_ms), 0) as at_ms from wipe
     where docking = $docking and outcome <> 'done'`,
    { $docking: docking },
  );
  const times = number(row, "times");
  if (times === 0) return false;
  const waitMs = Math.min(HOUR_MS, MINUTE_MS * 2 ** (times - 1));
  // However the clock was set meanwhile.
  return Math.abs(issuedAt - number(row, "at_ms")) < waitMs;
}

async function insertOrder(
  sql: Sql,
  asked: Asked,
  bounds: Bounds,
  files: readonly OrderedFile[],
  whole: boolean,
): Promise<void> {
  await sql.run(
    `insert into wipe (nonce, device_id, docking, how, issued_at_ms, expires_at_ms, boot_id,
       expires_uptime_ms, whole, others)
     values ($nonce, $device, $docking, $how, $issuedAt, $expiresAt, $boot, $uptime, $whole, $others)`,
    {
      $nonce: bounds.nonce,
      $device: asked.device,
      $docking: asked.docking,
      $how: asked.how,
      $issuedAt: bounds.issuedAt,
      $expiresAt: bounds.expiresAt,
      $boot: bounds.bootId,
      $uptime: bounds.expiresUptimeMs,
      $whole: whole ? 1 : 0,
      $others: asked.others,
    },
  );
  await sql.run(
    "insert into wipe_file (nonce, position, segment_id) select $nonce, key, value from json_each($ids)",
    { $nonce: bounds.nonce, $ids: JSON.stringify(files.map(({ segment }) => segment)) },
  );
}
