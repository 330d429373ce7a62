import { z } from "zod";
import { type CiphertextSha256, parseSegmentId, type SegmentId } from "#base/ids";
import { type Instant, isoOf } from "#base/time";
import { append } from "../ledger/append.ts";
import type { Json } from "../ledger/canonical.ts";
import { hashedPath } from "./card-path.ts";
import { knownAs } from "./known-as.ts";
import { recordTaken } from "./left.ts";
import { text } from "./row.ts";
import type { Segment } from "./segment-row.ts";
import type { Database, Sql } from "./sqlite.ts";
import { recordRead, recordReturned } from "./wipe-doubts.ts";

// How a sealed file comes into the catalog, and into the ledger.

/**
 * What a sealed file turned out to be: new, or a file this box already keeps, or has kept, under `of`.
 * `unlike` is an earlier read of a file with this path, length and time of change that gave other bytes.
 */
export type Recorded =
  | { kind: "new"; unlike: SegmentId | undefined }
  | { kind: "duplicate"; of: SegmentId };

/**
 * Records a sealed file that lies in the spool: row, spool copy and ledger leaf in one transaction.
 * @throws BewaardError CATALOG_FULL (transient), CATALOG_RULE when id and bytes contradict a known row.
 */
export function recordSealed(
  database: Database,
  at: Instant,
  segment: Omit<Segment, "state">,
): Promise<Recorded> {
  return database.transaction(async (sql) => {
    const known = await knownAs(sql, segment);
    await closeLeft(sql, at, segment, known?.id ?? segment.id);
    if (known?.returned) await tellReturned(sql, at, segment, known.id);
    if (known) return { kind: "duplicate", of: known.id };
    const unlike = await otherRead(sql, segment);
    const entry = await append(sql, at, [{ kind: "segment.sealed", facts: sealedFacts(segment) }]);
    await insertSegment(sql, segment, entry);
    await sql.run(
      `insert into copy (segment_id, place, state, bytes, changed_at_ms)
       values ($id, 'spool', 'present', $bytes, $at)`,
      { $id: segment.id, $bytes: segment.ciphertextBytes, $at: at },
    );
    return { kind: "new", unlike };
  });
}

/** The helper said that this file was removed from its card, and there it is as it was. */
async function tellReturned(
  sql: Sql,
  at: Instant,
  {
    device,
    sourcePath: path,
    sourceModifiedAt: modifiedAt,
    plaintextBytes,
  }: Omit<Segment, "state">,
  segment: SegmentId,
): Promise<void> {
  await append(sql, at, [{ kind: "card.returned", facts: { device, segment } }]);
  if (!path || modifiedAt === undefined || plaintextBytes === undefined) return;
  await recordReturned(sql, device, { path, bytes: plaintextBytes, modifiedAt });
}

async function otherRead(
  sql: Sql,
  segment: Omit<Segment, "state">,
): Promise<SegmentId | undefined> {
  const { sourcePath, sourceModifiedAt, plaintextBytes } = segment;
  if (!sourcePath || sourceModifiedAt === undefined || plaintextBytes === undefined)
    return undefined;
  const [other] = await sql.all(
    `select id from segment where device_id = $device and source_path = $path
       and plaintext_bytes = $bytes and source_modified_at_ms = $modifiedAt`,
    {
      $device: segment.device,
      $path: sourcePath,
      $bytes: plaintextBytes,
      $modifiedAt: sourceModifiedAt,
    },
  );
  return other && parseSegmentId(text(other, "id"));
}

/** A file that could not be taken before now is: whole, for what a crash cut off is only a part of it. */
async function closeLeft(
  sql: Sql,
  at: Instant,
  segment: Omit<Segment, "state">,
  takenAs: SegmentId,
): Promise<void> {
  const { sourcePath: path, sourceModifiedAt: modifiedAt, plaintextBytes } = segment;
  if (segment.truncated || !path) return;
  await recordTaken(sql, at, segment.device, path, takenAs);
  if (modifiedAt === undefined || plaintextBytes === undefined) return;
  await recordRead(sql, segment.device, { path, bytes: plaintextBytes, modifiedAt });
}

/** What the world may know of a segment: the leaf everything else is proven against. Of a file name only a hash. */
export function sealedFacts(segment: Omit<Segment, "state">): { readonly [key: string]: Json } {
  return {
    id: segment.id,
    device: segment.device,
    startedAt: isoOf(segment.startedAt),
    alternativeStartedAt:
      segment.alternativeStartedAt === undefined ? null : isoOf(segment.alternativeStartedAt),
    endedAt: segment.endedAt === undefined ? null : isoOf(segment.endedAt),
    timeSource: segment.timeSource,
    timeTrust: segment.timeTrust,
    arrivedAt: isoOf(segment.arrivedAt),
    dueAt: isoOf(segment.dueAt),
    dueProvisional: segment.dueProvisional,
    plaintextSha256: segment.plaintextSha256 ?? null,
    plaintextBytes: segment.plaintextBytes ?? null,
    ciphertextBytes: segment.ciphertextBytes,
    parts: [...segment.parts],
    sealedFor: segment.sealedFor,
    truncated: segment.truncated,
    ...fileFacts(segment),
    // For whoever makes this catalog again from the ledger alone.
    producer: segment.producer,
    clock: { declared: segment.cameraClock.declared, offsetMs: segment.cameraClock.offsetMs },
    rewritten:
      segment.rewritten === undefined ? null : z.json().parse(JSON.parse(segment.rewritten)),
  };
}

/** By which another box of the site knows the file on a card (docs/format.md, "Seen"). */
function fileFacts({ device, sourcePath, sourceModifiedAt }: Omit<Segment, "state">): {
  readonly file?: Json;
} {
  if (sourcePath === undefined || sourceModifiedAt === undefined) return {};
  return { file: { path: hashedPath(device, sourcePath), modifiedAt: isoOf(sourceModifiedAt) } };
}

/** Writes the row of a sealed file; its copies are the caller's to record. */
export async function insertSegment(
  sql: Sql,
  segment: Omit<Segment, "state">,
  entry: number,
): Promise<void> {
  await sql.run(
    `insert into segment (id, device_id, producer, started_at_ms, alternative_start_ms, ended_at_ms, time_source,
       time_trust, arrived_at_ms, arrived_boot_id, arrived_uptime_ms, clock_declared, clock_offset_ms,
       due_at_ms, due_provisional, source_path, source_modified_at_ms, plaintext_sha256, plaintext_bytes,
       ciphertext_bytes, part_sha256, sealed_for, truncated, rewritten, state, entry_seq, place_id)
     values ($id, $device, $producer, $startedAt, $alternative, $endedAt, $timeSource, $timeTrust,
       $arrivedAt, $bootId, $uptime, $clockDeclared, $clockOffset,
       $dueAt, $provisional, $sourcePath, $sourceModifiedAt, $plaintextSha256, $plaintextBytes,
       $ciphertextBytes, $parts, $sealedFor, $truncated, $rewritten, 'sealed', $entry,
       (select place_id from device where id = $device))`,
    {
      $id: segment.id,
      $device: segment.device,
      $producer: segment.producer,
      $startedAt: segment.startedAt,
      $alternative: segment.alternativeStartedAt ?? null,
      $endedAt: segment.endedAt ?? null,
      $timeSource: segment.timeSource,
      $timeTrust: segment.timeTrust,
      $arrivedAt: segment.arrivedAt,
      $bootId: segment.arrivedUptime.bootId,
      $uptime: segment.arrivedUptime.ms,
      $clockDeclared: segment.cameraClock.declared,
      $clockOffset: segment.cameraClock.offsetMs,
      $provisional: segment.dueProvisional ? 1 : 0,
      $dueAt: segment.dueAt,
      $sourcePath: segment.sourcePath ?? null,
      $sourceModifiedAt: segment.sourceModifiedAt ?? null,
      $plaintextSha256: segment.plaintextSha256 ?? null,
      $plaintextBytes: segment.plaintextBytes ?? null,
      $ciphertextBytes: segment.ciphertextBytes,
      $parts: joined(segment.parts),
      $sealedFor: segment.sealedFor,
      $truncated: segment.truncated ? 1 : 0,
      $rewritten: segment.rewritten ?? null,
      $entry: entry,
    },
  );
}

function joined(parts: readonly CiphertextSha256[]): Buffer {
  return Buffer.concat(parts.map((part) => Buffer.from(part, "hex")));
}
