import { type DeviceId, parseSegmentId, type SegmentId } from "#base/ids";
import type { Instant } from "#base/time";
import { hashedPath } from "./card-path.ts";
import type { CardFile } from "./find.ts";
import { number, optional, text } from "./row.ts";
import type { Sql, SqlRow } from "./sqlite.ts";
import { DOUBTS } from "./wipe-doubts.ts";

// Which files of a card may go (invariant 1).

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

/** One file of an order, as the helper will find it. */
export interface OrderedFile {
  readonly segment: SegmentId;
  readonly path: Uint8Array;
  readonly bytes: number;
  readonly sha256: string;
}

/** Of each file of a card, whether it may go. */
export interface Judged {
  readonly ready: readonly OrderedFile[];
  readonly waiting: number;
  readonly stuck: number;
  readonly again: readonly Uint8Array[];
  /** How many are there again after an order removed them. */
  readonly returned: number;
}

/**
 * Of several segments that one file was read as, the newest counts: it is what the second read is to find. Held
 * footage goes like any other: what is held are the copies that second places have, and not the card's.
 */
export async function judged(
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
       coalesce(doubt.why = 'returned', 0) as returned,
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
    returned: files.filter((_, index) => isReturned(newest.get(index))).length,
    stuck: beyond + fates.filter((fate) => fate === "stuck").length,
  };
}

function isReturned(row: SqlRow | undefined): boolean {
  return optional(row, "id", text) !== undefined && number(row, "returned") === 1;
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
