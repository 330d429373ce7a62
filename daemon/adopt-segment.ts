import { type FileHandle, lstat, mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDirectory } from "#base/durable";
import { BewaardError } from "#base/errors";
import type { SegmentId } from "#base/ids";
import { step } from "#base/step";
import { type Instant, instant } from "#base/time";
import type { Device } from "../storage/catalog/devices.ts";
import { readSegment } from "../storage/catalog/find.ts";
import { type Recorded, recordSealed } from "../storage/catalog/record-sealed.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { openAgreeing, sealedPath } from "../storage/spool/incoming.ts";
import type { SegmentManifest } from "../storage/spool/manifest.ts";
import { incomingFolder, type Spool, segmentPath } from "../storage/spool/spool.ts";
import type { Producer } from "./adopt.ts";
import type { Events } from "./events.ts";
import { judge, type Term } from "./term.ts";

/**
 * Checks the sealed file of a manifest, moves it into the ring and records it: row, copy and ledger leaf
 * in one transaction. After a crash anywhere it goes on where it was (invariant 8). While time is not
 * `trusted` the term is reckoned provisionally, and again later.
 * @throws BewaardError MANIFEST_LIES; SPOOL_FULL and CATALOG_FULL (transient).
 */
export async function adoptSegment(
  events: Events,
  database: Database,
  spool: Spool,
  term: Term,
  producer: Producer,
  manifest: SegmentManifest,
  device: Device,
  trusted: boolean,
  now: Instant,
): Promise<void> {
  const segment = segmentFrom(manifest, device, term, trusted, now);
  const offered = sealedPath(incomingFolder(spool, producer.name), manifest.id);
  if (await alreadyHas(database, segment)) {
    // Recorded before a crash, or sent once more: the row says what became of it, not this file.
    await rm(offered, { force: true });
    return;
  }
  const kept = segmentPath(spool, segment.id, segment.arrivedAt);
  await moveIn(offered, kept, manifest, producer);
  try {
    await settle(events, await recordSealed(database, now, segment), segment, kept);
  } catch (error) {
    // What the catalog's own rules refuse must not lie in the ring without a row.
    if (error instanceof BewaardError && error.code === "CATALOG_RULE") await rename(kept, offered);
    throw error;
  }
}

/** An id is for ever: the same one with other bytes must not come near what is kept under it. */
async function alreadyHas(
  database: Database,
  { id, parts }: { id: SegmentId; parts: readonly string[] },
): Promise<boolean> {
  const known = await readSegment(database, id);
  if (!known) return false;
  if (known.parts.join() === parts.join()) return true;
  throw new BewaardError("MANIFEST_LIES", "other bytes are kept under this id");
}

async function moveIn(
  offered: string,
  kept: string,
  manifest: SegmentManifest,
  producer: Producer,
): Promise<void> {
  // Whoever's it was then: the producer may have been given another user since.
  await using already = await openAgreeing(kept, manifest, undefined);
  if (already) {
    // A crash cut us off after the move: what is offered under this name now is not needed.
    await rm(offered, { force: true });
    return;
  }
  await using looked = await openAgreeing(offered, manifest, producer.owners);
  if (!looked) throw new BewaardError("MANIFEST_LIES", "there is no sealed file beside it");
  step("adopt.checked");
  await mkdir(dirname(kept), { recursive: true, mode: 0o700 });
  await syncDirectory(dirname(dirname(kept)));
  // Only core writes in segments/, and nothing was there a moment ago: this replaces no footage.
  await rename(offered, kept);
  await requireSame(offered, kept, looked);
  await syncDirectory(dirname(kept));
  await syncDirectory(dirname(offered));
  step("adopt.renamed");
}

/** The folder is the producer's: it may have put something else there since, a pipe say, or a second name. That goes back. */
async function requireSame(offered: string, kept: string, looked: FileHandle): Promise<void> {
  const { dev, ino, nlink } = await looked.stat();
  const moved = await lstat(kept);
  if (moved.dev === dev && moved.ino === ino && nlink === 1) return;
  await rename(kept, offered);
  throw new BewaardError("MANIFEST_LIES", "another file took its place");
}

async function settle(
  events: Events,
  recorded: Recorded,
  segment: ReturnType<typeof segmentFrom>,
  kept: string,
): Promise<void> {
  step("adopt.recorded");
  switch (recorded.kind) {
    case "new":
      events.adopted(segment.id, segment.device, segment.timeTrust);
      if (segment.timeTrust !== "trusted") {
        events.timeUncertain(segment.id, segment.device, segment.timeTrust);
      }
      if (recorded.unlike) events.readTwice(segment.id, segment.device, recorded.unlike);
      if (segment.alternativeStartedAt !== undefined) {
        events.timeAmbiguous(segment.id, segment.device);
      }
      return;
    case "duplicate":
      // The same bytes of the same file are, or were, kept under another id: a second copy must not be.
      await rm(kept, { force: true });
      await syncDirectory(dirname(kept));
      events.duplicate(segment.id, recorded.of);
      return;
    default:
      recorded satisfies never;
  }
}

function segmentFrom(
  manifest: SegmentManifest,
  device: Device,
  term: Term,
  trusted: boolean,
  now: Instant,
) {
  const { recording, file, plaintext, ciphertext, arrivedAt } = manifest;
  // A producer cannot have had it later than now: a later arrival would lengthen its life.
  const reckoned = judge(recording, device, instant(Math.min(arrivedAt, now)), term);
  const endedAt = recording.endedAt ?? undefined;
  return {
    id: manifest.id,
    device: manifest.device,
    producer: manifest.producer,
    startedAt: recording.startedAt,
    alternativeStartedAt: after(recording.startedAt, recording.alternativeStartedAt),
    endedAt: endedAt !== undefined && endedAt >= recording.startedAt ? endedAt : undefined,
    timeSource: recording.source,
    timeTrust: reckoned.timeTrust,
    arrivedAt,
    arrivedUptime: manifest.arrivedUptime,
    cameraClock: recording.clock,
    dueAt: reckoned.dueAt,
    dueProvisional: !trusted,
    sourcePath: file ? Buffer.from(file.path, "base64") : undefined,
    sourceModifiedAt: file?.modifiedAt,
    plaintextSha256: plaintext?.sha256,
    plaintextBytes: plaintext?.bytes,
    ciphertextBytes: ciphertext.bytes,
    parts: ciphertext.parts,
    sealedFor: manifest.sealedFor,
    truncated: manifest.truncated,
    rewritten: manifest.rewritten ? JSON.stringify(manifest.rewritten) : undefined,
  };
}

/** The term counts from the earlier of two starts; another that is not later is none. */
function after(startedAt: Instant, alternative: Instant | null): Instant | undefined {
  return alternative !== null && alternative > startedAt ? alternative : undefined;
}
