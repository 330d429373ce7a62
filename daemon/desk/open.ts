import { createHash, type Hash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Decrypter } from "age-encryption";
import { z } from "zod";
import { BewaardError } from "#base/errors";
import { parseSha256, type SegmentId, type Sha256 } from "#base/ids";
import type { Clock } from "#base/time";
import { readRules } from "../../config/configuration.ts";
import { readSecretFile } from "../../config/secrets.ts";
import { openSealed } from "../../storage/seal/open.ts";
import { type Salvaged, salvageSealed } from "../../storage/seal/salvage.ts";
import { decrypterOf, openText } from "../../storage/seal/small.ts";
import { namedByDesk } from "../places.ts";
import { findInLedger, type LedgerSegment } from "./node-ledger.ts";
import { appendEntry, demoOnly, type Station } from "./station.ts";
import type { Target } from "./targets.ts";

const dayKey = z.object({ day: z.string(), identity: z.string() });

/** A segment about to be opened: found in the ledger, its key at hand. */
export interface Opening {
  readonly known: LedgerSegment;
  readonly versionId: string;
  readonly decrypter: Decrypter;
}

/** What was opened, once it was. */
export interface Opened {
  /** SHA-256 of what was yielded. */
  readonly sha256: Sha256;
  /** How far it went; undefined when it was opened whole. */
  readonly salvaged: Salvaged | undefined;
}

/**
 * Opens one segment, yields its bytes as the camera wrote them, and returns what they were. The opening
 * is in the chain before the first byte flows; a normal end says that the hash is the one the box's
 * ledger has. A truncated one has none there: it is salvaged. On a demo site only.
 * @throws BewaardError DESK_FORBIDDEN, DESK_NOT_FOUND, DESK_TAMPERED, SEAL_BROKEN.
 */
export async function* openFootage(
  clock: Clock,
  station: Station,
  segment: Target,
  purpose: string,
  officerKeyPath: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, Opened, undefined> {
  const opening = await beginOpening(clock, station, segment, purpose, officerKeyPath, signal);
  const { known, versionId, decrypter } = opening;
  if (known.truncated) return yield* salvage(station, segment.id, opening, signal);
  const sealed = station.vault.read(known.key, versionId, signal);
  const hash = createHash("sha256");
  yield* hashed(openSealed(sealed, decrypter), hash);
  return { sha256: agreed(segment.id, known, hash), salvaged: undefined };
}

/**
 * Opens as much as can be of a segment that is damaged, and returns how much that is. What is yielded is
 * what was sealed; only a whole one can be compared with the ledger.
 * @throws BewaardError as `openFootage`; SEAL_BROKEN when not even its header is whole.
 */
export async function* salvageFootage(
  clock: Clock,
  station: Station,
  segment: Target,
  purpose: string,
  officerKeyPath: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, Opened, undefined> {
  const opening = await beginOpening(clock, station, segment, purpose, officerKeyPath, signal);
  return yield* salvage(station, segment.id, opening, signal);
}

async function* salvage(
  { vault }: Station,
  id: SegmentId,
  { known, versionId, decrypter }: Opening,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, Opened, undefined> {
  const hash = createHash("sha256");
  const sealed = vault.read(known.key, versionId, signal);
  const salvaged = yield* hashed(salvageSealed(sealed, decrypter), hash);
  const compared = salvaged.complete && known.plaintextSha256 !== undefined;
  const sha256 = compared ? agreed(id, known, hash) : parseSha256(hash.digest("hex"));
  return { sha256, salvaged };
}

async function* hashed<T>(
  bytes: AsyncGenerator<Uint8Array, T, undefined>,
  hash: Hash,
): AsyncGenerator<Uint8Array, T, undefined> {
  for (;;) {
    const next = await bytes.next();
    if (next.done) return next.value;
    hash.update(next.value);
    yield next.value;
  }
}

function agreed(id: SegmentId, known: LedgerSegment, hash: Hash): Sha256 {
  const sha256 = parseSha256(hash.digest("hex"));
  if (sha256 === known.plaintextSha256) return sha256;
  const message = `${id}: de hash klopt niet met het logboek / is not the ledger's`;
  throw new BewaardError("DESK_TAMPERED", message);
}

async function beginOpening(
  clock: Clock,
  station: Station,
  segment: Target,
  purpose: string,
  officerKeyPath: string,
  signal: AbortSignal,
): Promise<Opening> {
  const opening = await prepareOpening(station, segment, purpose, officerKeyPath, signal);
  await recordOpening(clock, station, segment, purpose, signal);
  return opening;
}

/** Puts the opening in the chain: before the first byte flows, and not when nothing will. */
export async function recordOpening(
  clock: Clock,
  station: Station,
  { node, id }: Target,
  purpose: string,
  signal: AbortSignal,
): Promise<void> {
  await appendEntry(clock, station, { kind: "open", segment: { node, id }, purpose }, signal);
}

/** Finds a segment and its key. Whoever uses it records the opening first. On a demo site only. */
export async function prepareOpening(
  station: Station,
  { node, id }: Target,
  purpose: string,
  officerKeyPath: string,
  signal: AbortSignal,
): Promise<Opening> {
  demoOnly(station, "Openen / Opening");
  const { vault, config } = station;
  const { purposes } = (await readRules(namedByDesk(config))).policy;
  if (!purposes.includes(purpose)) {
    const message = `doel "${purpose}" staat niet in het beleid; kies uit / choose from: ${purposes.join(", ")}`;
    throw new BewaardError("DESK_INPUT", message);
  }
  const known = await findInLedger(vault, config.nodes, config.site, node, id, signal);
  const identity = await dayIdentity(station, known.sealedFor, officerKeyPath);
  const [version] = await vault.versions(known.key);
  if (!version)
    throw new BewaardError("DESK_NOT_FOUND", `${id} is er niet (meer) / is not there any more`);
  return { known, versionId: version.versionId, decrypter: decrypterOf(identity) };
}

/** The identity of a day, from the officer's file. @throws BewaardError DESK_NOT_FOUND, DESK_FORBIDDEN. */
export async function dayIdentity(
  { folder }: Station,
  day: string,
  officerKeyPath: string,
): Promise<string> {
  const officerKey = await readSecretFile(officerKeyPath);
  const text = await ownFile(folder, officerKey);
  for (const line of text.split("\n").slice(0, -1)) {
    const parsed = dayKey.safeParse(JSON.parse(line));
    if (parsed.success && parsed.data.day === day) return parsed.data.identity;
  }
  throw new BewaardError("DESK_NOT_FOUND", `geen sleutel voor ${day} / no key for that day`);
}

/** What the ceremony gave to the officer with this key, whichever of the files it is. */
async function ownFile(folder: string, officerKey: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => /^officer-\d+\.age$/.test(name));
  for (const name of names.toSorted()) {
    try {
      return await openText(officerKey, await readFile(join(folder, name)));
    } catch (error) {
      if (!(error instanceof BewaardError && error.code === "SEAL_NOT_FOR_US")) throw error;
    }
  }
  throw new BewaardError(
    "DESK_KEY",
    "deze sleutel is van geen functionaris hier / no officer's key here",
  );
}
