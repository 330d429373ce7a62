import { BewaardError } from "#base/errors";
import type { Instant } from "#base/time";
import { agrees } from "./body.ts";
import type { Patience } from "./patience.ts";
import type { PatientCalls } from "./patient-calls.ts";
import type { Head, ListedVersion, PutRequest, S3Calls } from "./s3-answers.ts";
import { noVersions } from "./s3-errors.ts";
import { digestIn, digestOf, factsIn, metadataOf } from "./s3-facts.ts";
import { keepAsAsked } from "./s3-keep.ts";
import { type KeyListing, keyListing } from "./s3-list.ts";
import { abandonNoted, uploadParts } from "./s3-upload.ts";
import { base64Of, UNVERSIONED } from "./s3-values.ts";
import { goesWhole, wholePiece } from "./s3-whole.ts";
import type { UploadNotes } from "./upload-notes.ts";
import type { Keeping, ObjectBody } from "./vault.ts";

/** What writing takes. */
export interface Writer {
  /** Requests that must not be repeated without looking first. */
  readonly calls: S3Calls;
  readonly patient: PatientCalls;
  readonly patience: Patience;
  readonly notes: UploadNotes;
  readonly parallelParts: number;
  now(): Instant;
  /** Awaited before anything is sent, as `S3Options.residency`: what takes days is asked for again meanwhile. */
  mayWrite(): Promise<void>;
  /** Removes what was just written and is not wanted, where the credentials allow it. */
  withdraw(key: string, versionId: string): Promise<void>;
}

/** One object on its way. */
export interface Put {
  readonly key: string;
  readonly body: ObjectBody;
  readonly keeping: Keeping;
}

/** A version that was just written; its ETag where one request wrote it. */
export interface Written {
  readonly versionId: string;
  readonly etag: string | undefined;
  /** What providers that keep checksums must say of it. */
  readonly checksum: string;
}

/**
 * Writes once, whatever the provider makes of `If-None-Match`: looks before, and after. Whoever finds an older
 * version than its own takes its own back, so that of several writers one wins.
 */
export async function putOnce(writer: Writer, put: Put, signal: AbortSignal): Promise<string> {
  // What comes after is not repeated together with this: it would write again what is only not listed yet.
  const found = await writer.patience.repeat(async () => {
    const there = (await keyListing(writer.patient, put.key, signal)).versions.at(-1);
    return there ?? { written: await writtenNow(writer, put, signal) };
  }, signal);
  return "written" in found
    ? confirmed(writer, put, found.written, signal)
    : alreadyThere(writer, put, found, signal);
}

function writtenNow(writer: Writer, put: Put, signal: AbortSignal): Promise<Written> {
  const whole =
    put.body.parts.length === 1 || goesWhole(writer.calls.bucket, put.body, put.keeping);
  return whole ? putWhole(writer, put, signal) : uploadParts(writer, put, signal);
}

async function putWhole(writer: Writer, put: Put, signal: AbortSignal): Promise<Written> {
  const { facts, held, lockedUntil } = put.keeping;
  const how = { metadata: metadataOf(facts, put.body), held, lockedUntil, once: true };
  try {
    return await putAs(writer, put, how, signal);
  } catch (error) {
    if (!held || !(error instanceof BewaardError && error.code === "VAULT_DENIED")) throw error;
    // Where a policy cannot tell "hold" from "release" this credential may do neither: the desk's will hold it.
    return await putAs(writer, put, { ...how, held: false }, signal);
  }
}

async function putAs(
  { calls, patience }: Writer,
  { key, body }: Put,
  how: PutRequest,
  signal: AbortSignal,
): Promise<Written> {
  const piece = await wholePiece(body, key, signal);
  const once = (request: PutRequest) =>
    patience.once(() => calls.putObject(key, piece, request, signal));
  let answer = await once(how);
  // Not known there: looking before and after must do.
  if (answer === "no conditions") answer = await once({ ...how, once: false });
  if (typeof answer === "string") throw unclear(`${key}: somebody else is writing there`);
  return { ...answer, checksum: base64Of(piece.sha256) };
}

/** The conclusive look: by version, so that nobody else's can be taken for ours (invariant 1). */
async function confirmed(
  writer: Writer,
  put: Put,
  written: Written,
  signal: AbortSignal,
): Promise<string> {
  const { key } = put;
  const { versionId } = written;
  if (versionId === UNVERSIONED) {
    await writer.withdraw(key, versionId);
    throw noVersions(writer.calls.bucket.name);
  }
  const [head, { versions }] = await Promise.all([
    writer.patient.headObject(key, versionId),
    listedWith(writer, key, versionId, signal),
  ]);
  if (!isAsPromised(head, put, written)) {
    await writer.withdraw(key, versionId);
    throw corrupt(key);
  }
  const oldest = versions.at(-1);
  if (oldest && oldest.versionId !== versionId) {
    await writer.withdraw(key, versionId);
    return alreadyThere(writer, put, oldest, signal);
  }
  if (!isFootage(key)) await readWhole(writer, put, versionId, signal);
  await keepAsAsked(writer, put, versionId);
  if (put.body.parts.length > 1) await writer.notes.end(key);
  return versionId;
}

/** A listing that has this version: some lag behind what they confirmed. */
function listedWith(
  { patience, patient }: Writer,
  key: string,
  versionId: string,
  signal: AbortSignal,
): Promise<KeyListing> {
  return patience.repeat(async () => {
    const listing = await keyListing(patient, key, signal);
    if (listing.versions.some((one) => one.versionId === versionId)) return listing;
    throw unclear(`${key}: written, and not listed`);
  }, signal);
}

/** @throws BewaardError VAULT_CONFLICT when what is there is something else. */
async function alreadyThere(
  writer: Writer,
  put: Put,
  { versionId, bytes }: ListedVersion,
  signal: AbortSignal,
): Promise<string> {
  const { key, body } = put;
  if (bytes !== body.bytes) throw conflict(key);
  const claimed = digestIn((await writer.patient.headObject(key, versionId)).metadata);
  if (claimed !== undefined && claimed !== digestOf(body.parts)) throw conflict(key);
  // Anybody can claim; footage is read back before anything relies on it (read-back.ts).
  if (claimed === undefined || !isFootage(key)) {
    try {
      await readWhole(writer, put, versionId, signal);
    } catch (cause) {
      if (!(cause instanceof BewaardError && cause.code === "VAULT_CORRUPT")) throw cause;
      throw conflict(key, cause);
    }
  }
  await keepAsAsked(writer, put, versionId);
  if (body.parts.length > 1) await abandonNoted(writer, key);
  return versionId;
}

function isAsPromised(head: Head, { body, keeping }: Put, { etag, checksum }: Written): boolean {
  return (
    head.bytes === body.bytes &&
    digestIn(head.metadata) === digestOf(body.parts) &&
    (etag === undefined || etag === "" || head.etag === etag) &&
    (head.checksumSha256 === undefined || head.checksumSha256 === checksum) &&
    Object.entries(keeping.facts).every(
      ([name, value]) => (factsIn(head.metadata)[name] ?? "") === value,
    )
  );
}

/** Texts are few and small, and nobody reads them back later: they are, whole, at once. */
async function readWhole(
  { calls }: Writer,
  { key, body }: Put,
  versionId: string,
  signal: AbortSignal,
): Promise<void> {
  await agrees(calls.getObject(key, versionId, undefined, signal), body, key);
}

function isFootage(key: string): boolean {
  return key.startsWith("footage/");
}

/** Nobody knows what happened: to be looked at again. */
function unclear(message: string): BewaardError {
  return new BewaardError("VAULT_UNAVAILABLE", message, { transient: true });
}

function corrupt(key: string): BewaardError {
  return new BewaardError("VAULT_CORRUPT", `${key}: the vault has not what was sealed`);
}

function conflict(key: string, cause?: unknown): BewaardError {
  return new BewaardError("VAULT_CONFLICT", `${key}: other bytes are stored there`, { cause });
}
