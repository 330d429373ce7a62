import { rm } from "node:fs/promises";
import { atMostEvery } from "#base/at-most-every";
import { diskError } from "#base/disk-errors";
import { syncDirectory } from "#base/durable";
import { BewaardError } from "#base/errors";
import type { NodeId } from "#base/ids";
import { printable } from "#base/printable";
import { step } from "#base/step";
import { TERM_LIMIT_MS } from "#base/term";
import { type Clock, every, HOUR_MS, type Instant, instant, plus, SECOND_MS } from "#base/time";
import { type Device, readDevice } from "../storage/catalog/devices.ts";
import { recordGap } from "../storage/catalog/gaps.ts";
import { recordLeft } from "../storage/catalog/left.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { manifestNames, type Owners, readManifest } from "../storage/spool/incoming.ts";
import type { LeftManifest, Manifest } from "../storage/spool/manifest.ts";
import { incomingFolder, type Spool } from "../storage/spool/spool.ts";
import { adoptSegment } from "./adopt-segment.ts";
import type { Events } from "./events.ts";
import { type Configured, type ProducerName, requireOwn } from "./own-facts.ts";
import { quarantine } from "./quarantine.ts";
import { steady } from "./steady.ts";
import { openStrangers, type Strangers } from "./strangers.ts";
import type { Term } from "./term.ts";
import { timeTrust } from "./trust.ts";
import { hereSince, waitedOut } from "./waited.ts";

/** A process that hands facts over, and whose its files may be. */
export interface Producer {
  readonly name: ProducerName;
  readonly owners: Owners;
}

/** What every step of adopting needs to know of this box. */
export interface Box {
  readonly node: NodeId;
  readonly term: Term;
  readonly producers: readonly Producer[];
  readonly configured: readonly Configured[];
}

/** Without anything handed over for so long it looks less often: looking is most of what an idle box does. */
const QUIET_AFTER_MS = 30 * SECOND_MS;
const QUIET_LOOK_MS = 5 * SECOND_MS;

/**
 * Adopts what producers hand over, each second, and each five while it is quiet, until the signal aborts:
 * checks it, moves sealed files into the ring, and records them (docs/design.md, procedure "Adopt").
 */
export async function adopt(
  clock: Clock,
  events: Events,
  database: Database,
  spool: Spool,
  box: Box,
  signal: AbortSignal,
): Promise<void> {
  // One for each: what one producer does to its own folder keeps core from no other's.
  const turns = box.producers.map((producer) => ({
    producer,
    turn: steady(clock, events, "adopt"),
  }));
  const hourly = atMostEvery(clock, HOUR_MS);
  const strangers = openStrangers(clock, events, box.term);
  let seenAtMs = clock.uptimeMs();
  const pace = () => (clock.uptimeMs() - seenAtMs < QUIET_AFTER_MS ? SECOND_MS : QUIET_LOOK_MS);
  for await (const now of every(clock, pace, signal)) {
    for (const { producer, turn } of turns)
      await turn(async () => {
        const folder = incomingFolder(spool, producer.name);
        for (const name of await manifestNames(folder)) {
          if (signal.aborted) return;
          if (strangers.waits(name)) continue;
          seenAtMs = clock.uptimeMs();
          await adoptNamed(
            clock,
            events,
            database,
            spool,
            box,
            strangers,
            producer,
            name,
            now,
            hourly,
          );
        }
      });
  }
}

async function adoptNamed(
  clock: Clock,
  events: Events,
  database: Database,
  spool: Spool,
  box: Box,
  strangers: Strangers,
  producer: Producer,
  name: Uint8Array,
  now: Instant,
  sayNow: (what: string) => boolean,
): Promise<void> {
  const folder = incomingFolder(spool, producer.name);
  let waited: Instant | undefined;
  try {
    const manifest = await readManifest(folder, name, { node: box.node, owners: producer.owners });
    const device = await database.transaction((sql) => readDevice(sql, manifest.device));
    requireOwn(producer.name, manifest, device, box.configured);
    const { trusted } = await timeTrust(clock, database);
    if (!device) {
      waited = strangers.keep(name, manifest, trusted);
      if (waited === undefined) return;
      throw new BewaardError("MANIFEST_LIES", "names a camera that is not in service here");
    }
    await adoptFact(events, database, spool, box, producer, manifest, device, trusted, now);
    tellOlder(events, manifest, device, sayNow);
    await rm(`${folder}/${manifest.id}.json`, { force: true });
    await syncDirectory(folder);
    step("adopt.cleared");
  } catch (error) {
    const left = await setApart(
      clock,
      events,
      database,
      spool,
      box,
      producer,
      name,
      waited,
      now,
      translated(error),
    );
    if (left && sayNow(`${left.code} ${printable(name)}`)) {
      events.adoptDelayed(producer.name, printable(name), left);
    }
  }
}

/** Once an hour a camera: a card brings hundreds of files. */
function tellOlder(
  events: Events,
  manifest: Manifest,
  { id, kind, emptiedAt }: Device,
  sayNow: (what: string) => boolean,
): void {
  if (manifest.kind !== "segment" || kind !== "bodycam" || emptiedAt === undefined) return;
  const { startedAt, alternativeStartedAt } = manifest.recording;
  // Where clocks were changed it may be the later of two.
  if ((alternativeStartedAt ?? startedAt) >= emptiedAt || !sayNow(`older ${id}`)) return;
  events.footageBeforeEmptying(manifest.id, id, startedAt, emptiedAt);
}

/** Quarantines what lies, and what the disk refuses until its term; returns why a manifest still waits in incoming/, if it does. */
async function setApart(
  clock: Clock,
  events: Events,
  database: Database,
  spool: Spool,
  box: Box,
  producer: Producer,
  name: Uint8Array,
  waited: Instant | undefined,
  now: Instant,
  error: BewaardError,
): Promise<BewaardError | undefined> {
  const over = waitedOut(error.code, name, now, box.term);
  if (error.code !== "MANIFEST_LIES" && !over) return error;
  try {
    const { trusted } = await timeTrust(clock, database);
    if (over && !trusted) return error;
    const since = waited ?? (trusted ? hereSince(name, now, box.term) : now);
    await quarantine(
      database,
      spool,
      box.term,
      producer.name,
      name,
      error.code,
      trusted,
      since,
      now,
    );
    events.quarantined(producer.name, printable(name), error);
    return undefined;
  } catch (failure) {
    return translated(failure);
  }
}

async function adoptFact(
  events: Events,
  database: Database,
  spool: Spool,
  box: Box,
  producer: Producer,
  manifest: Manifest,
  device: Device,
  trusted: boolean,
  now: Instant,
): Promise<void> {
  switch (manifest.kind) {
    case "segment":
      await adoptSegment(
        events,
        database,
        spool,
        box.term,
        producer,
        manifest,
        device,
        trusted,
        now,
      );
      return;
    case "gap":
      if (manifest.endedAt < manifest.startedAt) {
        throw new BewaardError("MANIFEST_LIES", "a gap that ends before it starts");
      }
      await recordGap(database, now, manifest);
      events.gapRecorded(manifest.device, manifest.cause);
      return;
    case "left":
      await adoptLeft(events, database, manifest, now);
      return;
    default:
      manifest satisfies never;
  }
}

async function adoptLeft(
  events: Events,
  database: Database,
  { id, device, file, code, decideBy }: LeftManifest,
  now: Instant,
): Promise<void> {
  const left = {
    id,
    device,
    path: Buffer.from(file.path, "base64"),
    bytes: file.bytes ?? undefined,
    modifiedAt: file.modifiedAt ?? undefined,
    code,
    // A producer may not put the decision off for longer than footage may exist.
    decideBy: earlier(decideBy, plus(now, TERM_LIMIT_MS)),
  };
  if (await recordLeft(database, now, left)) events.decide(device, id, code, left.decideBy);
}

function earlier(a: Instant, b: Instant): Instant {
  return instant(Math.min(a, b));
}

/** What may happen to a disk in the field waits in incoming/ for the next second; a bug does not. */
function translated(error: unknown): BewaardError {
  const foreseen = diskError(error, "adopting");
  if (!(foreseen instanceof BewaardError)) throw error;
  // An id that contradicts a row we have: the catalog's rule refused it.
  return foreseen.code === "CATALOG_RULE"
    ? new BewaardError("MANIFEST_LIES", "contradicts what is kept under this id", { cause: error })
    : foreseen;
}
