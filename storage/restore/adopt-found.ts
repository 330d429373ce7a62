import { decodeTime } from "ulid";
import { z } from "zod";
import { BewaardError } from "#base/errors";
import { type NodeId, parseDeviceId, parseSegmentId, parseSha256 } from "#base/ids";
import { DUE_MARGIN_MS, TERM_LIMIT_MS } from "#base/term";
import { type Instant, instant, instantOf, isoOf } from "#base/time";
import { addToBatch, closeBatch } from "../catalog/batches.ts";
import { insertSegment, sealedFacts } from "../catalog/record-sealed.ts";
import { number, text } from "../catalog/row.ts";
import type { Segment } from "../catalog/segment-row.ts";
import type { Database, Sql } from "../catalog/sqlite.ts";
import { append } from "../ledger/append.ts";
import { openPartDigests } from "../seal/part-digests.ts";
import { plaintextBytesOf } from "../seal/plaintext-bytes.ts";
import { footageKey } from "../vault/keys.ts";
import type { ObjectVersion, Vault } from "../vault/vault.ts";
import { read } from "./told.ts";

// The catalog has no moments before 1970: what says so was not written by a box.
const moment = z
  .string()
  .transform(instantOf)
  .refine((at) => at > 0);
const facts = z.object({
  id: z.string().transform(parseSegmentId),
  device: z.string().transform(parseDeviceId),
  started: moment,
  ended: z.union([z.literal(""), moment]),
  "plaintext-sha256": z.union([z.literal(""), z.string().transform(parseSha256)]),
  "sealed-for": z.string(),
  // From 0.4.
  arrived: moment.optional(),
  due: moment.optional(),
  producer: z.string().optional(),
  "time-trust": z.enum(["trusted", "untrusted", "overdue"]).optional(),
});
type Facts = z.output<typeof facts>;

/** What came of the objects that no entry knows. */
export interface Adopted {
  readonly adopted: number;
  /** Keys of what is there under no name, or with no facts, that this box would have given it. */
  readonly strange: readonly string[];
}

/** No more are told; they are counted on. */
const SHOWN = 100;

/**
 * Takes up each object that no entry of the ledger knows: it was stored after the last head that left the
 * box. Its facts say what it is, its bytes are read for their digests, and its entry says where this was found.
 * It is never destroyed for being unknown: its term runs as its facts say, and no longer.
 */
export async function adoptFound(
  database: Database,
  vault: Vault,
  node: NodeId,
  termMs: number,
  at: Instant,
  signal: AbortSignal,
): Promise<Adopted> {
  const strange: string[] = [];
  const taken = new Set<string>();
  for (const found of await database.transaction(unknown)) {
    signal.throwIfAborted();
    const segment = await segmentIn(vault, node, termMs, at, found, signal);
    if (segment && (await database.transaction((sql) => record(sql, at, segment, found.versionId))))
      taken.add(found.key);
    // Another version of what was just taken up is no stranger; the same id under another key is one.
    else if (!taken.has(found.key)) strange.push(found.key);
  }
  await database.transaction((sql) => closeBatch(sql, "stored", at));
  return { adopted: taken.size, strange: strange.slice(0, SHOWN) };
}

async function unknown(sql: Sql): Promise<readonly ObjectVersion[]> {
  const rows = await sql.all(
    `select key, version_id, bytes from found
     where segment_id is null or not exists (select 1 from segment where id = found.segment_id)
     order by place`,
  );
  return rows.map((row) => ({
    key: text(row, "key"),
    versionId: text(row, "version_id"),
    bytes: number(row, "bytes"),
  }));
}

/** Undefined for what is not as a box would have put it. */
async function segmentIn(
  ...asked: Parameters<typeof readSegment>
): Promise<Omit<Segment, "state"> | undefined> {
  try {
    return await readSegment(...asked);
  } catch (error) {
    const spoiled =
      error instanceof BewaardError && ["VAULT_CORRUPT", "VAULT_NOT_FOUND"].includes(error.code);
    if (spoiled) return undefined;
    throw error;
  }
}

async function readSegment(
  vault: Vault,
  node: NodeId,
  termMs: number,
  now: Instant,
  { key, versionId, bytes }: ObjectVersion,
  signal: AbortSignal,
): Promise<Omit<Segment, "state"> | undefined> {
  const told = read(facts, await vault.facts(key, versionId));
  if (told === undefined) return undefined;
  if (footageKey(node, told.device, told.started, told.id) !== key) return undefined;
  const digests = openPartDigests();
  const first: Uint8Array[] = [];
  let seen = 0;
  for await (const chunk of vault.read(key, versionId, signal)) {
    if (seen < HEADER_MOST_BYTES) first.push(Uint8Array.from(chunk.subarray(0, HEADER_MOST_BYTES)));
    seen += chunk.length;
    digests.update(chunk);
  }
  const plaintextBytes = plaintextBytesOf(Buffer.concat(first), bytes);
  if (plaintextBytes === undefined || seen !== bytes) return undefined;
  return segmentOf(told, plaintextBytes, digests.finish(), termMs, now);
}

/** An age header for a day's few recipients is some hundred bytes, or a few thousand post-quantum. */
const HEADER_MOST_BYTES = 64 * 1024;

function segmentOf(
  told: Facts,
  plaintextBytes: number,
  { ciphertextBytes, parts }: ReturnType<ReturnType<typeof openPartDigests>["finish"]>,
  termMs: number,
  now: Instant,
): Omit<Segment, "state"> {
  const sha256 = told["plaintext-sha256"];
  const claimed = told.arrived ?? instant(decodeTime(told.id));
  // Either it lies, or this clock is behind: its term is reckoned again once somebody vouches for the time.
  const dueProvisional = claimed > now;
  const arrivedAt = instant(Math.min(claimed, now));
  return {
    id: told.id,
    device: told.device,
    producer: told.producer ?? "unknown",
    startedAt: told.started,
    alternativeStartedAt: undefined,
    endedAt: told.ended === "" || told.ended < told.started ? undefined : told.ended,
    timeSource: "arrival",
    timeTrust: told["time-trust"] ?? "untrusted",
    arrivedAt,
    arrivedUptime: { bootId: "", ms: 0 },
    cameraClock: { declared: "unknown", offsetMs: null },
    dueAt: dueOf(told, arrivedAt, termMs),
    dueProvisional,
    sourcePath: undefined,
    sourceModifiedAt: undefined,
    plaintextSha256: sha256 === "" ? undefined : sha256,
    plaintextBytes: sha256 === "" ? undefined : plaintextBytes,
    ciphertextBytes,
    parts,
    sealedFor: told["sealed-for"],
    truncated: sha256 === "",
    rewritten: undefined,
  };
}

/** As the box reckoned it; else from the start. No later than what arrived that day could be kept. */
function dueOf({ due, started }: Facts, arrivedAt: Instant, termMs: number): Instant {
  const claimed = due ?? started + termMs - DUE_MARGIN_MS;
  return instant(Math.max(0, Math.min(claimed, arrivedAt + TERM_LIMIT_MS - DUE_MARGIN_MS)));
}

/** False when the segment is known: another version of it was taken up before, or it lies under another key. */
async function record(
  sql: Sql,
  at: Instant,
  segment: Omit<Segment, "state">,
  versionId: string,
): Promise<boolean> {
  const { id, ciphertextBytes, arrivedAt } = segment;
  const [known] = await sql.all("select 1 from segment where id = $id", { $id: id });
  if (known) return false;
  await knowDevice(sql, at, segment);
  const told = { ...sealedFacts(segment), from: "vault" };
  const entry = await append(sql, at, [{ kind: "segment.sealed", facts: told }]);
  await insertSegment(sql, segment, entry);
  await sql.run(
    `insert into copy (segment_id, place, state, version_id, bytes, changed_at_ms)
     values ($id, 'spool', 'gone', null, $bytes, $at), ($id, 'vault', 'present', $version, $bytes, $at)`,
    { $id: id, $version: versionId, $bytes: ciphertextBytes, $at: arrivedAt },
  );
  await sql.run("update segment set state = 'stored' where id = $id", { $id: id });
  await addToBatch(sql, "stored", at, [{ id, facts: { version: versionId } }]);
  return true;
}

/** A camera that was added after the last head, and is not configured any more. */
async function knowDevice(
  sql: Sql,
  at: Instant,
  { device, producer, arrivedAt }: Omit<Segment, "state">,
): Promise<void> {
  const [known] = await sql.all("select 1 from device where id = $device", { $device: device });
  if (known) return;
  const type = producer === "record" ? "camera" : "bodycam";
  const pairedAt = isoOf(arrivedAt);
  const entry = await append(sql, at, [
    { kind: "device.paired", facts: { device, type, pairedAt } },
  ]);
  await sql.run(
    `insert into device (id, kind, paired_at_ms, entry_seq) values ($device, $type, $pairedAt, $entry)`,
    { $device: device, $type: type, $pairedAt: arrivedAt, $entry: entry },
  );
}
