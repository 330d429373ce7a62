import { createHash, randomUUID } from "node:crypto";
import { S3, type S3ClientConfig } from "@aws-sdk/client-s3";
import { systemClock } from "#base/system-clock";
import { MINUTE_MS, plus } from "#base/time";
import { setHeader } from "../../storage/vault/s3-values.ts";
import { NEVER } from "../fakes/rig.ts";

/** A key of somebody's, and the name that policies call him. */
export interface Somebody {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** `arn:aws:iam:::user/<name>` */
  readonly arn: string;
}

/** A server to be asked. */
export interface Peer {
  readonly endpoint: string;
  readonly region: string;
  /** Makes the buckets. */
  readonly owner: Somebody;
  /** Has no right but what a bucket's policy gives him. */
  readonly other: Somebody;
  /** How long a day of its lifecycle rules lasts. */
  readonly dayMs: number;
}

/** What one row is given: a bucket that nobody has used, with its owner's and the other's client. */
export interface Ground {
  readonly peer: Peer;
  readonly s3: S3;
  readonly other: S3;
  readonly bucket: string;
}

export interface Row {
  /** What the row says that servers do. */
  readonly name: string;
  readonly bucket: "plain" | "versioned" | "locked";
  readonly run: (ground: Ground) => Promise<unknown>;
}

/** What a server did that the row did not expect, in words that are the same each time. */
export class Seen extends Error {
  override readonly name = "Seen";
}

export const CONTENT = Buffer.from("segment ".repeat(100));
/** Differs from the content in one bit. */
export const OTHER_CONTENT = Buffer.from(CONTENT.map((byte, at) => (at === 9 ? byte ^ 1 : byte)));

/** A client as the program makes them: no checksums it was not told to make, one try. */
export function clientOf(peer: Peer, somebody: Somebody, more: S3ClientConfig = {}): S3 {
  return new S3({
    endpoint: peer.endpoint,
    region: peer.region,
    forcePathStyle: true,
    maxAttempts: 1,
    disableClockSkewCorrection: true,
    // It would tell the console of each stream that was refused, as the rows want.
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    credentials: somebody,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    ...more,
  });
}

/** A client whose requests say this SHA-256 of their body, as the vault's do. */
export function signing(peer: Peer, content: Uint8Array): S3 {
  const s3 = clientOf(peer, peer.owner);
  const sha256 = createHash("sha256").update(content).digest("hex");
  s3.middlewareStack.add(
    (next) => (args) => {
      setHeader(args.request, "x-amz-content-sha256", sha256);
      return next(args);
    },
    { step: "build" },
  );
  return s3;
}

/** Runs a row on a fresh bucket. Resolves to "ok", or to what was seen instead. */
export async function seenIn(peer: Peer, row: Row): Promise<string> {
  const [s3, other] = [clientOf(peer, peer.owner), clientOf(peer, peer.other)];
  const bucket = `rows-${randomUUID().slice(0, 18)}`;
  try {
    await s3.createBucket({ Bucket: bucket, ObjectLockEnabledForBucket: row.bucket === "locked" });
    if (row.bucket === "versioned") {
      await s3.putBucketVersioning({
        Bucket: bucket,
        VersioningConfiguration: { Status: "Enabled" },
      });
    }
    await row.run({ peer, s3, other, bucket });
    return "ok";
  } catch (error) {
    return error instanceof Seen ? error.message : answerOf(error);
  } finally {
    s3.destroy();
    other.destroy();
  }
}

/** Expects `asked` to be refused with one of the statuses and, if given, `code`. @throws Seen what came instead. */
export async function refused(
  asked: Promise<unknown>,
  status: number | readonly number[],
  code?: string,
): Promise<void> {
  const answer = await asked.then(() => "accepted", answerOf);
  const wanted = [status].flat().map((one) => (code === undefined ? `${one} ` : `${one} ${code}`));
  if (!wanted.some((one) => answer.startsWith(one))) throw new Seen(answer);
}

export function same<T>(seen: T, wanted: T): void {
  if (seen !== wanted) throw new Seen(String(seen));
}

/** Waits until `done`. @throws Seen `what` when a minute has passed. */
export async function until(what: string, done: () => Promise<boolean>): Promise<void> {
  const last = plus(systemClock.now(), MINUTE_MS);
  while (!(await done())) {
    if (systemClock.now() > last) throw new Seen(`${what}: not within a minute`);
    await systemClock.sleep(50, NEVER);
  }
}

/** In so long, in whole seconds: what a lock is told in. */
export const inMs = (ms: number): Date =>
  new Date(Math.floor((systemClock.now() + ms) / 1000) * 1000);

/** Lets the lock of a version end in two to three seconds, and says when. */
export async function endSoon(
  { s3 }: Ground,
  by: { Bucket: string; Key: string; VersionId?: string | undefined },
): Promise<Date> {
  const ends = inMs(3000);
  const Retention = { Mode: "GOVERNANCE", RetainUntilDate: ends } as const;
  await s3.putObjectRetention({ ...by, Retention, BypassGovernanceRetention: true });
  return ends;
}

export function base64Of(algorithm: "md5" | "sha256", content: Uint8Array): string {
  return createHash(algorithm).update(content).digest("base64");
}

/** `403 AccessDenied`; for what is no answer of a server, its kind. */
function answerOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!("$metadata" in error)) return `${error.name}: ${error.message}`;
  const { $metadata: metadata } = error;
  const status =
    typeof metadata === "object" && metadata !== null && "httpStatusCode" in metadata
      ? metadata.httpStatusCode
      : undefined;
  return `${String(status)} ${error.name}`;
}
