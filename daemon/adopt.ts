import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDirectory } from "#base/durable";
import { BewaardError, systemCode } from "#base/errors";
import type { NodeId, SegmentId } from "#base/ids";
import { printable } from "#base/printable";
import { step } from "#base/step";
import { type Clock, every, type Instant, instant, SECOND_MS } from "#base/time";
import { type Device, readDevice, recordEmptied } from "../storage/catalog/devices.ts";
import { readSegment } from "../storage/catalog/find.ts";
import { recordGap } from "../storage/catalog/gaps.ts";
import { type Recorded, recordSealed } from "../storage/catalog/segments.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import {
  agreesWithManifest,
  manifestNames,
  readManifest,
  sealedPath,
} from "../storage/spool/incoming.ts";
import type { Manifest, SegmentManifest } from "../storage/spool/manifest.ts";
import { incomingFolder, type Spool, segmentPath } from "../storage/spool/spool.ts";
import type { Events } from "./events.ts";
import { quarantine } from "./quarantine.ts";
import { judge, type Term } from "./term.ts";

/** A process that hands facts over, and the user it runs as. */
interface Producer {
  readonly name: string;
  readonly owner: number;
}

/** What every step of adopting needs to know of this box. */
export interface Box {
  readonly node: NodeId;
  readonly term: Term;
  readonly producers: readonly Producer[];
}

/**
 * Adopts what producers hand over, each second, until the signal aborts: checks it, moves sealed files
 * into the ring, and records them (docs/design.md, procedure "Adopt").
 */
export async function adopt(
  clock: Clock,
  events: Events,
  database: Database,
  spool: Spool,
  box: Box,
  signal: AbortSignal,
): Promise<void> {
  for await (const now of every(clock, SECOND_MS, signal)) {
    for (const producer of box.producers) {
      const folder = incomingFolder(spool, producer.name);
      for (const name of await manifestNames(folder)) {
        if (signal.aborted) return;
        await adoptNamed(events, database, spool, box, producer, name, now);
      }
    }
  }
}

async function adoptNamed(
  events: Events,
  database: Database,
  spool: Spool,
  box: Box,
  producer: Producer,
  name: Uint8Array,
  now: Instant,
): Promise<void> {
  const folder = incomingFolder(spool, producer.name);
  try {
    const manifest = await readManifest(folder, name, { node: box.node, owner: producer.owner });
    await adoptFact(events, database, spool, box, producer, manifest, now);
    await rm(`${folder}/${manifest.id}.json`, { force: true });
    await syncDirectory(folder);
    step("adopt.cleared");
  } catch (error) {
    const foreseen = translated(error);
    if (foreseen.code === "MANIFEST_LIES") {
      events.quarantined(producer.name, printable(name), foreseen);
      await quarantine(database, spool, box.term, producer.name, name, foreseen.code, now);
    } else {
      events.adoptDelayed(producer.name, printable(name), foreseen);
    }
  }
}

async function adoptFact(
  events: Events,
  database: Database,
  spool: Spool,
  box: Box,
  producer: Producer,
  manifest: Manifest,
  now: Instant,
): Promise<void> {
  const device = await database.transaction((sql) => readDevice(sql, manifest.device));
  if (!device)
    throw new BewaardError("MANIFEST_LIES", "names a camera that is not in service here");
  switch (manifest.kind) {
    case "segment":
      await adoptSegment(events, database, spool, box, producer, manifest, device, now);
      return;
    case "gap":
      if (manifest.endedAt < manifest.startedAt) {
        throw new BewaardError("MANIFEST_LIES", "a gap that ends before it starts");
      }
      await recordGap(database, now, manifest);
      events.gapRecorded(manifest.device, manifest.cause);
      return;
    case "emptied":
      await recordEmptied(
        database,
        now,
        manifest.device,
        earlier(manifest.emptiedAt, now),
        manifest.files,
      );
      return;
    default:
      manifest satisfies never;
  }
}

async function adoptSegment(
  events: Events,
  database: Database,
  spool: Spool,
  { term }: Box,
  producer: Producer,
  manifest: SegmentManifest,
  device: Device,
  now: Instant,
): Promise<void> {
  const segment = segmentFrom(manifest, device, term, now);
  const offered = sealedPath(incomingFolder(spool, producer.name), manifest.id);
  const kept = segmentPath(spool, segment.id, segment.arrivedAt);
  await contradictsNothing(database, segment);
  if (await agreesWithManifest(kept, manifest, producer.owner)) {
    // A crash cut us off after the move: what is offered under this name now is not needed.
    await rm(offered, { force: true });
  } else if (await agreesWithManifest(offered, manifest, producer.owner)) {
    step("adopt.checked");
    await mkdir(dirname(kept), { recursive: true, mode: 0o700 });
    await syncDirectory(dirname(dirname(kept)));
    // Only core writes in segments/, and nothing was there a moment ago: this replaces no footage.
    await rename(offered, kept);
    await syncDirectory(dirname(kept));
    await syncDirectory(dirname(offered));
    step("adopt.renamed");
  } else {
    throw new BewaardError("MANIFEST_LIES", "there is no sealed file beside it");
  }
  await settle(events, await recordSealed(database, now, segment), segment, kept);
}

/** An id is for ever: the same one with other bytes must not come near what is kept under it. */
async function contradictsNothing(
  database: Database,
  { id, parts }: { id: SegmentId; parts: readonly string[] },
): Promise<void> {
  const known = await readSegment(database, id);
  if (!known || known.parts.join() === parts.join()) return;
  throw new BewaardError("MANIFEST_LIES", "other bytes are kept under this id");
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
      return;
    case "again":
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

function segmentFrom(manifest: SegmentManifest, device: Device, term: Term, now: Instant) {
  const { recording, file, plaintext, ciphertext } = manifest;
  // A producer cannot have had it later than now: a later arrival would lengthen its life.
  const arrivedAt = earlier(manifest.arrivedAt, now);
  const { timeTrust, dueAt } = judge(recording, device, arrivedAt, term);
  const endedAt = recording.endedAt ?? undefined;
  return {
    id: manifest.id,
    device: manifest.device,
    producer: manifest.producer,
    startedAt: recording.startedAt,
    endedAt: endedAt !== undefined && endedAt >= recording.startedAt ? endedAt : undefined,
    timeSource: recording.source,
    timeTrust,
    arrivedAt,
    dueAt,
    sourcePath: file ? Buffer.from(file.path, "base64") : undefined,
    sourceModifiedAt: file?.modifiedAt,
    plaintextSha256: plaintext.sha256,
    plaintextBytes: plaintext.bytes,
    ciphertextBytes: ciphertext.bytes,
    parts: ciphertext.parts,
    sealedFor: manifest.sealedFor,
    truncated: manifest.truncated,
    rewritten: manifest.rewritten ? JSON.stringify(manifest.rewritten) : undefined,
  };
}

function earlier(a: Instant, b: Instant): Instant {
  return instant(Math.min(a, b));
}

/** What may happen to a file system in the field waits in incoming/ for the next second; a bug does not. */
function translated(error: unknown): BewaardError {
  if (error instanceof BewaardError) {
    // An id that contradicts a row we have: the catalog's rule refused it.
    return error.code === "CATALOG_RULE"
      ? new BewaardError("MANIFEST_LIES", "contradicts what is kept under this id", {
          cause: error,
        })
      : error;
  }
  const code = systemCode(error);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new BewaardError("SPOOL_FULL", "no room left in the spool", {
      transient: true,
      cause: error,
    });
  }
  if (code === "EIO" || code === "EROFS" || code === "ENOENT") {
    return new BewaardError("SPOOL_IO", `the spool's disk refuses (${code})`, {
      transient: true,
      cause: error,
    });
  }
  throw error;
}
