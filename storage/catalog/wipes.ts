import { type DeviceId, parseDeviceId, parseSegmentId, type SegmentId } from "#base/ids";
import { HOUR_MS, type Instant, MINUTE_MS } from "#base/time";
import { hashedPath } from "./card-path.ts";
import type { CardFile } from "./find.ts";
import { bytes, moment, number, optional, text } from "./row.ts";
import type { Database, Sql, SqlRow } from "./sqlite.ts";

// Orders to wipe cards: which files may go (invariant 1), and the orders that are open.

/** Orders that left a file on its card before somebody has to look at it. */
export const DOUBTS = 3;

/** What is asked for one card. */
export interface Asked {
  readonly device: DeviceId;
  readonly docking: string;
  readonly how: "unlink" | "overwrite";
  /** Its files as listed, but for those that are no footage. */
  readonly files: readonly CardFile[];
  /** How many regular files it has besides. */
  readonly others: number;
  /** How many have a path that no order can name. */
  readonly beyond: number;
  /** `second-medium`: the separate medium will do for a second place. */
  readonly after: "vault" | "second-medium";
}

/** What bounds an order: by the wall clock, and by the clock that nobody sets. */
export interface Bounds {
  readonly nonce: string;
  readonly issuedAt: Instant;
  readonly expiresAt: Instant;
  readonly bootId: string;
  readonly expiresUptimeMs: number;
  /** So many files at most. */
  readonly limit: number;
}

/** One file of an order, as the helper will find it. */
interface OrderedFile {
  readonly segment: SegmentId;
  readonly path: Uint8Array;
  readonly bytes: number;
  readonly sha256: string;
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
}

/** Judges the files of a card and remembers an order for those that may go, in one transaction. */
export function rememberWipe(database: Database, asked: Asked, bounds: Bounds): Promise<Answered> {
  return database.transaction(async (sql) => {
    const { ready, waiting, stuck, again } = await judged(sql, asked, bounds.issuedAt);
    const open = await openFor(sql, asked, bounds);
    if (open !== undefined || ready.length === 0 || (await isTooSoon(sql, asked, bounds))) {
      const nonce = open?.own ? open.nonce : undefined;
      return { nonce, files: [], waiting: waiting + ready.length, stuck, again };
    }
    const files = ready.slice(0, bounds.limit);
    await insertOrder(sql, asked, bounds, files, waiting + stuck + ready.length === files.length);
    const later = waiting + ready.length - files.length;
    return { nonce: bounds.nonce, files, waiting: later, stuck, again };
  });
}

/** What would come of asking while nothing may be ordered: every file waits, or is stuck. */
export function countForWipe(
  database: Database,
  asked: Asked,
  now: Instant,
): Promise<Pick<Answered, "waiting" | "stuck" | "again">> {
  return database.transaction(async (sql) => {
    const { ready, waiting, ...rest } = await judged(sql, asked, now);
    return { waiting: waiting + ready.length, ...rest };
  });
}

interface Judged {
  readonly ready: readonly OrderedFile[];
  readonly waiting: number;
  readonly stuck: number;
  readonly again: readonly Uint8Array[];
}

/**
 * Of several segments that one file was read as, the newest counts: it is what the second read is to find. Held
 * footage goes like any other: what is held are the copies that second places have, and not the card's.
 */
async function judged(
  sql: Sql,
  { device, files, after, beyond }: Asked,
  now: Instant,
): Promise<Judged> {
  const rows = await sql.all(
    `select wanted.key, segment.id, segment.plaintext_sha256, segment.state, segment.due_at_ms,
       exists (select 1 from copy where segment_id = segment.id and state = 'present'
         and place in (select value from json_each($places))) as safe,
       segment.state in ('destroying', 'destroyed') and due_provisional = 0
         and segment.due_at_ms <= $now as over,
       coalesce(doubt.times, 0) as times, coalesce(doubt.retake, 0) as retake,
       exists (select 1 from left_file where taken_at_ms is null and device_id = $device
         and path = unhex(wanted.value ->> 0) and bytes = wanted.value ->> 1
         and modified_at_ms = wanted.value ->> 2) as left,
       exists (select 1 from seen_file where device_id = $device and path = unhex(wanted.value ->> 3)
         and bytes = wanted.value ->> 1 and modified_at_ms = wanted.value ->> 2
         and due_at_ms > $now) as elsewhere
     from json_each($files) as wanted
     left join segment on segment.device_id = $device and segment.source_path = unhex(wanted.value ->> 0)
       and segment.plaintext_bytes = wanted.value ->> 1
       and segment.source_modified_at_ms = wanted.value ->> 2
     left join wipe_doubt as doubt on doubt.device_id = $device and doubt.path = unhex(wanted.value ->> 0)
       and doubt.bytes = wanted.value ->> 1 and doubt.modified_at_ms = wanted.value ->> 2
     order by wanted.key, segment.entry_seq`,
    {
      $device: device,
      $now: now,
      $places: JSON.stringify(after === "vault" ? ["vault"] : ["vault", "secured"]),
      $files: JSON.stringify(
        files.map(({ path, bytes: length, modifiedAt }) => [
          Buffer.from(path).toString("hex"),
          length,
          modifiedAt,
          hashedPath(device, path),
        ]),
      ),
    },
  );
  const newest = new Map(rows.map((row) => [number(row, "key"), row]));
  const fates = files.map((file, index) => fateOf(file, newest.get(index)));
  return {
    ready: fates.filter((fate) => typeof fate === "object"),
    waiting: fates.filter((fate) => fate === "waits" || fate === "again").length,
    again: files.filter((_, index) => fates[index] === "again").map(({ path }) => path),
    stuck: beyond + fates.filter((fate) => fate === "stuck").length,
  };
}

function fateOf(
  file: CardFile,
  row: SqlRow | undefined,
): OrderedFile | "waits" | "again" | "stuck" {
  if (number(row, "left") === 1 || number(row, "times") >= DOUBTS) return "stuck";
  const id = optional(row, "id", text);
  const sha256 = optional(row, "plaintext_sha256", text);
  // Another box has it, and orders its wiping by its own rows: here it stays, until its term ends.
  if (id === undefined && number(row, "elsewhere") === 1) return "stuck";
  if (id === undefined || sha256 === undefined) return "waits";
  if (number(row, "retake") === 1) return "again";
  if (number(row, "safe") === 1 || number(row, "over") === 1)
    return { segment: parseSegmentId(id), path: file.path, bytes: file.bytes, sha256 };
  // Gone before its term, overwritten unstored: the card has it alone, until the law decides.
  return text(row, "state") === "destroyed" ? "stuck" : "waits";
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

/** An order of which nobody has said yet what came of it. */
export interface OpenWipe {
  readonly nonce: string;
  readonly device: DeviceId;
  readonly docking: string;
  readonly how: string;
  readonly issuedAt: Instant;
  readonly expiresAt: Instant;
  readonly bootId: string;
  readonly expiresUptimeMs: number;
  readonly whole: boolean;
  readonly others: number;
  /** What its files have together: reading them takes its time. */
  readonly bytes: number;
}

/** Every open order, the oldest first. */
export function openWipes(database: Database): Promise<readonly OpenWipe[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `select wipe.*, (select coalesce(sum(plaintext_bytes), 0) from wipe_file
         join segment on segment.id = segment_id where wipe_file.nonce = wipe.nonce) as bytes
       from wipe where outcome is null order by issued_at_ms, nonce`,
    );
    return rows.map((row) => ({
      nonce: text(row, "nonce"),
      device: parseDeviceId(text(row, "device_id")),
      docking: text(row, "docking"),
      how: text(row, "how"),
      issuedAt: moment(row, "issued_at_ms"),
      expiresAt: moment(row, "expires_at_ms"),
      bootId: text(row, "boot_id"),
      expiresUptimeMs: number(row, "expires_uptime_ms"),
      whole: number(row, "whole") === 1,
      others: number(row, "others"),
      bytes: number(row, "bytes"),
    }));
  });
}

/** What came of an order, as JSON; null while it is open, undefined for one that this box does not know. */
export function toldOfWipe(database: Database, nonce: string): Promise<string | null | undefined> {
  return database.transaction(async (sql) => {
    const [row] = await sql.all("select told from wipe where nonce = $nonce", { $nonce: nonce });
    return row && (optional(row, "told", text) ?? null);
  });
}

/** A file of an order, and the segment that it is. */
export interface WipeFile {
  readonly segment: SegmentId;
  readonly path: Buffer;
  readonly bytes: number;
  readonly modifiedAt: Instant;
}

/** The files of an order, by their place in it. */
export async function filesOfWipe(sql: Sql, nonce: string): Promise<readonly WipeFile[]> {
  const rows = await sql.all(
    `select segment.id, source_path, plaintext_bytes, source_modified_at_ms from wipe_file
     join segment on segment.id = segment_id where nonce = $nonce order by position`,
    { $nonce: nonce },
  );
  return rows.map((row) => ({
    segment: parseSegmentId(text(row, "id")),
    path: bytes(row, "source_path"),
    bytes: number(row, "plaintext_bytes"),
    modifiedAt: moment(row, "source_modified_at_ms"),
  }));
}

/** Says that a file was read whole from its card, whatever came of it: it need not be taken again. */
export async function recordRead(
  sql: Sql,
  device: DeviceId,
  file: { readonly path: Uint8Array; readonly bytes: number; readonly modifiedAt: Instant },
): Promise<void> {
  await sql.run(
    `update wipe_doubt set retake = 0 where device_id = $device and path = $path
       and bytes = $bytes and modified_at_ms = $modifiedAt and retake = 1`,
    { $device: device, $path: file.path, $bytes: file.bytes, $modifiedAt: file.modifiedAt },
  );
}
