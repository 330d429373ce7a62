import { randomUUID } from "node:crypto";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutObjectRetentionCommand,
} from "@aws-sdk/client-s3";
import { systemClock } from "#base/system-clock";
import type { Clock, Instant } from "#base/time";
import { openPartDigests, PART_BYTES } from "../../storage/seal/part-digests.ts";
import { bytesBody } from "../../storage/vault/body.ts";
import type { Bucket, Credential } from "../../storage/vault/bucket.ts";
import { openS3Vault } from "../../storage/vault/s3.ts";
import type { S3Calls } from "../../storage/vault/s3-answers.ts";
import { openS3Calls } from "../../storage/vault/s3-calls.ts";
import { memoryNotes, type UploadNotes } from "../../storage/vault/upload-notes.ts";
import type { ObjectBody, Vault } from "../../storage/vault/vault.ts";
import type { VaultUnderTest } from "../contracts/vault.ts";
import { clientOf } from "../peers/ceph-client.ts";
import { NEVER } from "./rig.ts";

/** A server to make buckets on, with the credential of who may. */
export interface S3Peer {
  readonly endpoint: string;
  readonly region: string;
  readonly credential: Credential;
  readonly certificate: string | undefined;
}

export interface BucketUnderTest extends VaultUnderTest {
  readonly bucket: Bucket;
  readonly calls: S3Calls;
  readonly notes: UploadNotes;
  /** Another process on the same bucket, with the notes of the first. */
  again(options?: { parallelParts?: number; residency?: () => Promise<void> }): Vault;
  /** Puts a delete marker over it, as a lifecycle rule does. */
  hide(key: string): Promise<void>;
  /** Ends a lock early, as the break-glass credential can. */
  shortenLock(key: string, versionId: string, until: Instant): Promise<void>;
}

/** Makes a bucket of its own, with locks where the level needs them, and opens a vault in it. */
export async function openBucket(
  peer: S3Peer,
  level: Bucket["level"],
  through = peer.endpoint,
  clock: Clock = systemClock,
): Promise<BucketUnderTest> {
  const { region, credential, certificate } = peer;
  const name = `bucket-${randomUUID()}`;
  const client = clientOf(peer, credential);
  await client.send(new CreateBucketCommand({ Bucket: name, ObjectLockEnabledForBucket: true }));
  const bucket: Bucket = {
    provider: "own",
    region,
    endpoint: through,
    name,
    owner: undefined,
    level,
    certificate,
    reports: [],
  };
  const calls = openS3Calls({ ...bucket, endpoint: peer.endpoint }, credential);
  const notes = memoryNotes();
  const opened = new AsyncDisposableStack();
  const again: BucketUnderTest["again"] = (options = {}) => {
    const residency = async (): Promise<void> => undefined;
    const all = { residency, notes, ...options };
    return opened.use(openS3Vault(clock, bucket, { box: credential }, all));
  };
  return {
    bucket,
    calls,
    notes,
    vault: again(),
    again,
    async overwrite(key, content) {
      const body = bytesBody(content);
      const [sha256] = body.parts;
      if (sha256 === undefined) throw new TypeError("no part");
      const piece = { open: () => body.open(), bytes: body.bytes, sha256 };
      const freely = { metadata: {}, held: false, lockedUntil: undefined, once: false };
      await calls.putObject(key, piece, freely, NEVER);
    },
    async breakOff(key) {
      await calls.createUpload(key, {});
    },
    async hide(key) {
      await client.send(new DeleteObjectCommand({ Bucket: name, Key: key }));
    },
    async shortenLock(key, versionId, until) {
      const command = new PutObjectRetentionCommand({
        Bucket: name,
        Key: key,
        VersionId: versionId,
        BypassGovernanceRetention: true,
        Retention: { Mode: "GOVERNANCE", RetainUntilDate: new Date(until) },
      });
      await client.send(command);
    },
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]();
      await calls[Symbol.asyncDispose]();
      client.destroy();
    },
  };
}

const CHUNK_BYTES = 1024 * 1024;

/** As many bytes as asked, without holding them; other ones for another `seed`. */
export function patternBody(bytes: number, seed = 0): ObjectBody {
  const chunk = Buffer.alloc(CHUNK_BYTES, `bewaard pattern ${seed} `);
  const open = function* (from = 0, to = bytes): Generator<Uint8Array, void, undefined> {
    for (let at = from; at < Math.min(to, bytes); ) {
      const within = at % CHUNK_BYTES;
      const taken = Math.min(CHUNK_BYTES - within, Math.min(to, bytes) - at);
      yield chunk.subarray(within, within + taken);
      at += taken;
    }
  };
  return {
    async *open(range) {
      yield* open(range?.from, range?.to);
    },
    bytes,
    parts: partsOf(`${bytes} of ${seed}`, open),
  };
}

/** Hashes of patterns, each taken once: many tests use the same few. */
const known = new Map<string, ObjectBody["parts"]>();

function partsOf(name: string, open: () => Iterable<Uint8Array>): ObjectBody["parts"] {
  const before = known.get(name);
  if (before) return before;
  const digests = openPartDigests();
  for (const piece of open()) digests.update(piece);
  const { parts } = digests.finish();
  known.set(name, parts);
  return parts;
}

/** Two parts: a whole one, and a rest. */
export const TWO_PARTS_BYTES = PART_BYTES + 100_000;
