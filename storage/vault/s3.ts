import { BewaardError } from "#base/errors";
import type { Clock } from "#base/time";
import type { Bucket, Credential } from "./bucket.ts";
import type { Recognise } from "./directory.ts";
import { parseKey } from "./directory-layout.ts";
import { openPatience, unless } from "./patience.ts";
import { type PatientCalls, patiently } from "./patient-calls.ts";
import type { ListedVersion } from "./s3-answers.ts";
import { openS3Calls } from "./s3-calls.ts";
import { destroyVersion, removeMarkers } from "./s3-destroy.ts";
import { noVersions } from "./s3-errors.ts";
import { factsIn } from "./s3-facts.ts";
import { setHoldForSure } from "./s3-keep.ts";
import { keyListing, keysUnder } from "./s3-list.ts";
import { putOnce, type Writer } from "./s3-put.ts";
import { readPatiently } from "./s3-read.ts";
import { abandonUploads, uploadsOf } from "./s3-upload.ts";
import type { UploadNotes } from "./upload-notes.ts";
import type { ObjectVersion, Vault } from "./vault.ts";

/** Who asks this vault for what. */
export interface S3Credentials {
  readonly box: Credential;
  /** Deletes, where the box's own may not (`plain`). */
  readonly destroyer?: Credential;
}

export interface S3Options {
  /**
   * Awaited before every write: the bucket is where it should be (invariant 11).
   * @throws BewaardError VAULT_OUTSIDE_EEA (transient).
   */
  readonly residency: () => Promise<void>;
  readonly notes: UploadNotes;
  readonly recognise?: Recognise;
  /** Parts of one object at the same time. */
  readonly parallelParts?: number;
}

const PARALLEL_PARTS = 4;

/**
 * A vault in a bucket with versions. Everything is found by version. Who deletes it is the bucket's to say: see
 * `level`. Opening asks nothing.
 */
export function openS3Vault(
  clock: Clock,
  bucket: Bucket,
  credentials: S3Credentials,
  options: S3Options,
): Vault {
  const closing = new AbortController();
  const closed = closing.signal;
  const calls = openS3Calls(bucket, credentials.box);
  const deleting = credentials.destroyer && openS3Calls(bucket, credentials.destroyer);
  const patience = openPatience(clock, Math.random);
  const patient = patiently(calls, patience, closed);
  const destroyer = deleting ? patiently(deleting, patience, closed) : patient;
  const ready = openReadiness(patient, options);
  const writer: Writer = {
    calls,
    patient,
    patience,
    notes: options.notes,
    parallelParts: options.parallelParts ?? PARALLEL_PARTS,
    now: () => clock.now(),
    mayWrite: () => ready.toWrite(),
    async withdraw(key, versionId) {
      // Refused where it is locked or this credential may not: it goes with the key's other versions, when they do.
      await destroyer.deleteVersions([{ key, versionId }]);
    },
  };
  return {
    level: bucket.level,
    async put(key, body, keeping, signal) {
      parseKey(key);
      const stop = AbortSignal.any([closed, signal]);
      await unless(stop, ready.toWrite());
      const locked = bucket.level === "locked";
      const kept = locked ? keeping : { ...keeping, held: false, lockedUntil: undefined };
      const stoppable = { ...writer, patient: patiently(calls, patience, stop) };
      return putOnce(stoppable, { key, body, keeping: kept }, signal);
    },
    read: (key, versionId, signal, range) =>
      readPatiently(clock, calls, patience, key, versionId, range, signal),
    ...looking(patient, ready, closed),
    async *list(prefix, signal, after) {
      const stop = AbortSignal.any([closed, signal]);
      await unless(stop, ready.toLook());
      const asked = patiently(calls, patience, stop);
      for await (const { versions } of keysUnder(asked, prefix, stop, after))
        yield* oldestFirst(versions);
    },
    abandon: (key) => abandonUploads(writer, parseKey(key)),
    unhide: (key) => removeMarkers(patient, destroyer, parseKey(key), closed),
    async setHold(key, versionId, held) {
      if (bucket.level === "plain") throw noHolds(key);
      await setHoldForSure(clock, patient, parseKey(key), versionId, held, closed);
    },
    destroy: (key, versionId) =>
      destroyVersion(patient, destroyer, parseKey(key), versionId, clock.now(), closed),
    async [Symbol.asyncDispose]() {
      closing.abort();
      await calls[Symbol.asyncDispose]();
      await deleting?.[Symbol.asyncDispose]();
    },
  };
}

type Looking = Pick<Vault, "facts" | "versions" | "unfinished" | "traces" | "isHeld">;

function looking(patient: PatientCalls, ready: Readiness, closed: AbortSignal): Looking {
  return {
    async facts(key, versionId) {
      return factsIn((await patient.headObject(parseKey(key), versionId)).metadata);
    },
    async versions(key) {
      await ready.toLook();
      return oldestFirst((await keyListing(patient, parseKey(key), closed)).versions);
    },
    async unfinished(prefix) {
      await ready.toLook();
      const uploads = await patient.listUploads(prefix);
      return [...new Set(uploads.map(({ key }) => key))];
    },
    async traces(key) {
      await ready.toLook();
      const { versions, markers } = await keyListing(patient, parseKey(key), closed);
      const { length: unfinished } = await uploadsOf(patient, key);
      return { versions: versions.length, markers: markers.length, unfinished };
    },
    async isHeld(key, versionId) {
      if (patient.bucket.level === "locked") return patient.getHold(parseKey(key), versionId);
      await patient.headObject(parseKey(key), versionId);
      return false;
    },
  };
}

interface Readiness {
  /** @throws BewaardError VAULT_IDENTITY (transient) when it is not the vault this box knows. */
  toLook(): Promise<void>;
  /** @throws BewaardError VAULT_OUTSIDE_EEA, VAULT_NO_HOLDS, both transient: somebody may mend the bucket. */
  toWrite(): Promise<void>;
}

function openReadiness(patient: PatientCalls, { recognise, residency }: S3Options): Readiness {
  const { bucket } = patient;
  let recognised = recognise === undefined;
  let keeps = false;
  const readiness: Readiness = {
    async toLook() {
      if (!recognised) await recognise?.(`${bucket.endpoint} ${bucket.name}`);
      recognised = true;
    },
    async toWrite() {
      await readiness.toLook();
      await residency();
      if (!keeps) await (bucket.level === "locked" ? mustLock(patient) : mustVersion(patient));
      keeps = true;
    },
  };
  return readiness;
}

/** Some make a bucket without locks when asked for one with, and take every header in silence. */
async function mustLock(patient: PatientCalls): Promise<void> {
  const told = await patient.lockConfiguration();
  if (told === "not told" || !told.enabled) throw noLocks(patient.bucket.name);
}

/** Without versions whoever may put replaces what is there. Where the provider does not know the question, putting tells. */
async function mustVersion(patient: PatientCalls): Promise<void> {
  const told = await patient.versioning();
  if (told !== "Enabled" && told !== "not told") throw noVersions(patient.bucket.name);
}

function oldestFirst(versions: readonly ListedVersion[]): readonly ObjectVersion[] {
  return versions.toReversed().map(({ key, versionId, bytes }) => ({ key, versionId, bytes }));
}

function noHolds(key: string): BewaardError {
  return new BewaardError("VAULT_NO_HOLDS", `${key}: a plain bucket holds nothing`);
}

function noLocks(bucket: string): BewaardError {
  const message = `${bucket} has no Object Lock: it cannot be a locked vault`;
  return new BewaardError("VAULT_NO_HOLDS", message, { transient: true });
}
