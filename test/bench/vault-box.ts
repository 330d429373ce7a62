import { createHash, randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { copyFile, link, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  type CiphertextSha256,
  parseDeviceId,
  parseNodeId,
  parseSha256,
  type SegmentId,
} from "#base/ids";
import { systemClock } from "#base/system-clock";
import { DAY_MS, dayOf, HOUR_MS, type Instant, instant, plus } from "#base/time";
import { newSegmentId } from "../../daemon/new-id.ts";
import { recordPaired } from "../../storage/catalog/devices.ts";
import { migrate } from "../../storage/catalog/migrate.ts";
import { recordSealed } from "../../storage/catalog/record-sealed.ts";
import { type Database, openDatabase } from "../../storage/catalog/sqlite.ts";
import { openPartDigests } from "../../storage/seal/part-digests.ts";
import { createSpool, openSpool, segmentPath } from "../../storage/spool/spool.ts";

export const NODE = parseNodeId("bench-1");
const DEVICE = parseDeviceId("bc-0101");
const TERM_MS = 28 * DAY_MS;
const BLOCK_BYTES = 1024 * 1024;

/** A box with footage that waits for the vault. */
export interface WaitingBox {
  readonly folder: string;
  /** Of the catalog before anything was stored: each run begins with a copy of it. */
  readonly catalog: string;
  /** What `rclone` copies: the folder of the same sealed files. */
  readonly files: string;
  readonly segments: number;
  readonly bytes: number;
}

/**
 * Makes a box with `segments` sealed segments of `bytes` each, recorded by the catalog's own functions, with the
 * digests taken as they are at sealing. `linked`: one file under many names, for a
 * long backlog.
 */
export async function makeBox(
  folder: string,
  segments: number,
  bytes: number,
  linked: boolean,
): Promise<WaitingBox> {
  await createSpool(join(folder, "spool"), NODE);
  const spool = await openSpool(join(folder, "spool"), NODE);
  const catalog = join(folder, "before.db");
  const sealed = join(folder, "sealed");
  const parts = await makeSealed(sealed, bytes);
  const now = systemClock.now();
  const files = join(spool.path, "segments", dayOf(now));
  await mkdir(files, { recursive: true });
  await using database = await openDatabase(catalog);
  await migrate(database);
  await recordPaired(database, now, [{ id: DEVICE, kind: "bodycam", pairedAt: now }]);
  for (let index = 0; index < segments; index += 1) {
    const path = segmentPath(spool, await record(database, now, index, bytes, parts), now);
    await (linked ? link(sealed, path) : copyFile(sealed, path));
  }
  return { folder, catalog, files, segments, bytes: segments * bytes };
}

async function makeSealed(path: string, bytes: number): Promise<readonly CiphertextSha256[]> {
  const digests = openPartDigests();
  const blocks = function* (): Generator<Buffer> {
    for (let left = bytes; left > 0; left -= BLOCK_BYTES) {
      const block = randomBytes(Math.min(left, BLOCK_BYTES));
      digests.update(block);
      yield block;
    }
  };
  await pipeline(Readable.from(blocks()), createWriteStream(path));
  return digests.finish().parts;
}

async function record(
  database: Database,
  arrivedAt: Instant,
  index: number,
  bytes: number,
  parts: readonly CiphertextSha256[],
): Promise<SegmentId> {
  const id = newSegmentId(arrivedAt);
  const startedAt = instant(arrivedAt - HOUR_MS + index);
  const recorded = await recordSealed(database, arrivedAt, {
    id,
    device: DEVICE,
    producer: "dock",
    startedAt,
    alternativeStartedAt: undefined,
    endedAt: arrivedAt,
    timeSource: "name",
    timeTrust: "trusted",
    arrivedAt,
    arrivedUptime: { bootId: "bench", ms: 1 },
    cameraClock: { declared: "unknown", offsetMs: null },
    dueAt: plus(startedAt, TERM_MS),
    dueProvisional: false,
    sourcePath: Buffer.from(`DCIM/${index}.MP4`),
    sourceModifiedAt: undefined,
    // What was sealed is of no account here, but two segments are never of the same bytes.
    plaintextSha256: parseSha256(createHash("sha256").update(id).digest("hex")),
    plaintextBytes: bytes,
    ciphertextBytes: bytes,
    parts,
    sealedFor: dayOf(arrivedAt),
    truncated: false,
    rewritten: undefined,
  });
  if (recorded.kind !== "new") throw new Error("recorded twice");
  return id;
}

/** The catalog that is used up when all is stored under the name `node`. */
export function catalogOf(folder: string, node: string): string {
  return join(folder, `${node}.db`);
}
