import type { CiphertextSha256 } from "#base/ids";
import type { Instant } from "#base/time";
import type { Bucket } from "./bucket.ts";
import type { ByteRange, ObjectFacts } from "./vault.ts";

// What is asked of a bucket and what it answers, in plain words: nobody else meets the SDK's.

/** The bucket does not know this question. What that means is for who asks to say. */
export type NotTold = "not told";

/** Bytes to send, with the hash that was taken when they were made. */
export interface Piece {
  /** Each call reads them anew: a try that failed can be made again. */
  open(): AsyncIterable<Uint8Array>;
  readonly bytes: number;
  readonly sha256: CiphertextSha256;
}

export interface PutRequest {
  readonly metadata: ObjectFacts;
  readonly held: boolean;
  /** Rounded up to the second, GOVERNANCE. */
  readonly lockedUntil: Instant | undefined;
  /** Only if nothing is there (`If-None-Match: *`). */
  readonly once: boolean;
  /** Sent as `x-amz-checksum-sha256` in place of the piece's own hash: to see whether anybody compares it. */
  readonly checksum?: CiphertextSha256;
}

/** What was written, or why nothing was: something is there, or the provider does not know `If-None-Match`. */
type PutAnswer = { readonly versionId: string; readonly etag: string } | "taken" | "no conditions";

export interface Head {
  readonly bytes: number;
  readonly etag: string;
  readonly metadata: ObjectFacts;
  /** Base64, of the parts' composite with `-N` behind it; undefined where the provider keeps none. */
  readonly checksumSha256: string | undefined;
}

export interface Retention {
  readonly mode: string;
  readonly until: Instant;
}

export interface ListedVersion {
  readonly key: string;
  readonly versionId: string;
  readonly bytes: number;
  readonly etag: string;
  readonly marker: boolean;
  readonly latest: boolean;
  readonly modifiedAt: Instant;
}

/** Where a next page starts: after this key, or after this version of it. */
export interface After {
  readonly key: string;
  readonly versionId: string | undefined;
}

/** In order of key and, for one key, newest first. `next` is undefined on the last page. */
interface VersionPage {
  readonly versions: readonly ListedVersion[];
  readonly next: After | undefined;
}

export interface Upload {
  readonly key: string;
  readonly uploadId: string;
}

export interface UploadPart {
  /** From 1. */
  readonly number: number;
  readonly etag: string;
  readonly bytes: number;
  /** Base64; to be named at the end by those providers that keep it, and by no others. */
  readonly checksumSha256: string | undefined;
}

/** Why one version was not deleted: the provider's code, such as AccessDenied. */
interface NotDeleted {
  readonly key: string;
  readonly versionId: string;
  readonly code: string;
}

export interface LockConfiguration {
  readonly enabled: boolean;
  /** What new objects get by themselves. */
  readonly mode: string | undefined;
  readonly days: number | undefined;
  readonly years: number | undefined;
}

export interface LifecycleRule {
  readonly id: string;
  readonly enabled: boolean;
  readonly prefix: string;
  /** It looks at tags or sizes too. */
  readonly filtered: boolean;
  readonly expireDays: number | undefined;
  readonly expireDate: string | undefined;
  readonly expireMarkers: boolean;
  readonly noncurrentDays: number | undefined;
  readonly newerNoncurrent: number | undefined;
  readonly abortDays: number | undefined;
  /** It moves objects to another class of storage. */
  readonly moves: boolean;
}

/**
 * One request each, never retried. `key` and `prefix` as they are in the bucket. Every call may throw BewaardError:
 * - VAULT_UNAVAILABLE (transient): network, timeouts, 5xx, 429, an answer that is none: nobody knows what happened.
 * - VAULT_DENIED: 403, and every other 4xx that has no better name.
 * - VAULT_OUTSIDE_EEA (transient): the bucket is said to be elsewhere (301, 307, another region).
 * - VAULT_NOT_FOUND: no such key, version or upload. VAULT_IDENTITY (transient): no such bucket, where the answer says so.
 * - VAULT_CORRUPT: what arrived has not the promised hash. VAULT_FULL (transient).
 */
export interface S3Calls extends AsyncDisposable, BucketCalls {
  readonly bucket: Bucket;

  putObject(key: string, piece: Piece, how: PutRequest, signal: AbortSignal): Promise<PutAnswer>;
  headObject(key: string, versionId: string): Promise<Head>;
  /** Nothing at all where the range begins past the end. */
  getObject(
    key: string,
    versionId: string,
    range: ByteRange | undefined,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;

  /** A lock asked for here is silently ignored by some: footage gets its own when it is complete. */
  createUpload(key: string, metadata: ObjectFacts, lockedUntil?: Instant): Promise<string>;
  uploadPart(
    upload: Upload,
    number: number,
    piece: Piece,
    signal: AbortSignal,
  ): Promise<UploadPart>;
  /** The new version, or undefined where the provider does not say. */
  completeUpload(
    upload: Upload,
    parts: readonly UploadPart[],
    signal: AbortSignal,
  ): Promise<string | undefined>;
  abortUpload(upload: Upload): Promise<void>;
  /** All of them, however many pages. */
  listUploads(prefix: string): Promise<readonly Upload[]>;
  /** All of them, however many pages. */
  listParts(upload: Upload): Promise<readonly UploadPart[]>;

  /** One page of at most `most` (1000), delete markers among them. */
  listVersions(prefix: string, after: After | undefined, most: number): Promise<VersionPage>;
  /** At most 1000. What was refused; those that are not there count as deleted. */
  deleteVersions(
    versions: readonly { readonly key: string; readonly versionId: string }[],
  ): Promise<readonly NotDeleted[]>;

  /** False also where none was ever set. */
  getHold(key: string, versionId: string): Promise<boolean>;
  setHold(key: string, versionId: string, held: boolean): Promise<void>;
  getRetention(key: string, versionId: string): Promise<Retention | undefined>;
  /** GOVERNANCE, rounded up to the second. */
  setRetention(key: string, versionId: string, until: Instant): Promise<void>;
}

/** What a bucket says of itself. */
export interface BucketCalls {
  /** `region` and the time as its headers say, where they say: also to who may not list the bucket. */
  headBucket(): Promise<{
    readonly region: string | undefined;
    readonly toldAt?: Instant | undefined;
  }>;
  /** Empty where the provider names none (on AWS: us-east-1). */
  location(): Promise<{ readonly region: string } | NotTold>;
  versioning(): Promise<"Enabled" | "Suspended" | "never" | NotTold>;
  /** Whether versions go only with the owner's one-time code. */
  mfaDelete(): Promise<boolean | NotTold>;
  lockConfiguration(): Promise<LockConfiguration | NotTold>;
  lifecycle(): Promise<readonly LifecycleRule[] | NotTold>;
  /** Buckets it copies to, each as the rule names it. */
  replication(): Promise<readonly string[] | NotTold>;
  /** Undefined where there is none. */
  policy(): Promise<{ readonly json: string | undefined } | NotTold>;
  policyStatus(): Promise<{ readonly isPublic: boolean } | NotTold>;
  /** Whether all four blocks of public access are on. */
  publicAccess(): Promise<{ readonly blocked: boolean } | NotTold>;
  /** Such as AES256, undefined where there is none. */
  encryption(): Promise<{ readonly algorithm: string | undefined } | NotTold>;
}
