import { parseSegmentId, type SegmentId } from "#base/ids";
import { isoOf } from "#base/time";
import { hashedPath } from "./card-path.ts";
import { readRebuilt } from "./rebuilt.ts";
import { number, text } from "./row.ts";
import type { Segment } from "./segment-row.ts";
import type { Sql, SqlRow } from "./sqlite.ts";

/** The segment that a file is already; `returned` when its card was said to have it no more, and it is as it was. */
export interface Known {
  readonly id: SegmentId;
  readonly returned: boolean;
}

/**
 * The same bytes of the same file are one segment, whenever the camera last touched it. The row goes by how the
 * file is now: else its card would for ever have one that nobody knows, and never be safe or wiped.
 */
export async function knownAs(
  sql: Sql,
  segment: Omit<Segment, "state">,
): Promise<Known | undefined> {
  if (!segment.sourcePath || segment.plaintextSha256 === undefined) return undefined;
  const [earlier] = await sql.all(
    `select id, wiped_at_ms is not null and source_modified_at_ms is $modifiedAt as returned from segment
     where device_id = $device and source_path = $path and plaintext_sha256 = $sha256`,
    {
      $device: segment.device,
      $path: segment.sourcePath,
      $modifiedAt: segment.sourceModifiedAt ?? null,
      $sha256: segment.plaintextSha256,
    },
  );
  const known = earlier ?? (await recognised(sql, segment));
  if (known === undefined) return undefined;
  const id = parseSegmentId(text(known, "id"));
  await sql.run(
    `update segment set wiped_at_ms = null, source_path = $path,
       source_modified_at_ms = coalesce($modifiedAt, source_modified_at_ms) where id = $id`,
    { $id: id, $path: segment.sourcePath, $modifiedAt: segment.sourceModifiedAt ?? null },
  );
  return { id, returned: number(known, "returned") === 1 };
}

/**
 * A catalog that was made again knows no names on cards; the same bytes of the same camera are the same file, and of
 * several the one whose entry has this name by its hash. What was lost with the box is not known: its card may have
 * it still.
 */
async function recognised(
  sql: Sql,
  { device, plaintextSha256, sourcePath, sourceModifiedAt }: Omit<Segment, "state">,
): Promise<SqlRow | undefined> {
  if (!sourcePath || (await readRebuilt(sql)) === undefined) return undefined;
  const [row] = await sql.all(
    `select segment.id, coalesce(entry.body ->> '$.file.path' = $hashed
         and entry.body ->> '$.file.modifiedAt' = $modifiedAt, 0) as same,
       wiped_at_ms is not null and entry.body ->> '$.file.path' is $hashed
         and entry.body ->> '$.file.modifiedAt' is $modifiedAt as returned
     from segment left join entry on entry.seq = segment.entry_seq
     where device_id = $device and source_path is null and plaintext_sha256 = $sha256
       and not exists (select 1 from gap where gap.id = segment.id and cause = 'box-lost')
     order by same desc, wiped_at_ms is not null limit 1`,
    {
      $device: device,
      $sha256: plaintextSha256 ?? null,
      $hashed: hashedPath(device, sourcePath),
      $modifiedAt: sourceModifiedAt === undefined ? null : isoOf(sourceModifiedAt),
    },
  );
  return row;
}
