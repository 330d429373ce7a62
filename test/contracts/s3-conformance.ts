import { randomUUID } from "node:crypto";
import {
  CreateBucketCommand,
  PutBucketVersioningCommand,
  S3Client,
  type S3ClientConfig,
} from "@aws-sdk/client-s3";

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
}

/** What one row is given: a bucket that nobody has used, and its owner's client. */
export interface Ground {
  readonly peer: Peer;
  readonly s3: S3Client;
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

/** A client as the program makes them: no checksums it was not told to make, one try. */
export function clientOf(peer: Peer, somebody: Somebody, more: S3ClientConfig = {}): S3Client {
  return new S3Client({
    endpoint: peer.endpoint,
    region: peer.region,
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: somebody,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    ...more,
  });
}

/** Runs a row on a fresh bucket. Resolves to "ok", or to what was seen instead. */
export async function seenIn(peer: Peer, row: Row): Promise<string> {
  const s3 = clientOf(peer, peer.owner);
  const bucket = `rows-${randomUUID().slice(0, 18)}`;
  try {
    await s3.send(
      new CreateBucketCommand({
        Bucket: bucket,
        ObjectLockEnabledForBucket: row.bucket === "locked",
      }),
    );
    if (row.bucket === "versioned") {
      const VersioningConfiguration = { Status: "Enabled" } as const;
      await s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
    }
    await row.run({ peer, s3, bucket });
    return "ok";
  } catch (error) {
    return error instanceof Seen ? error.message : answerOf(error);
  } finally {
    s3.destroy();
  }
}

/** Expects `asked` to be refused with `status` and, if given, `code`. @throws Seen what came instead. */
export async function refused(
  asked: Promise<unknown>,
  status: number,
  code?: string,
): Promise<void> {
  const answer = await asked.then(() => "accepted", answerOf);
  const wanted = code === undefined ? `${status} ` : `${status} ${code}`;
  if (!answer.startsWith(wanted)) throw new Seen(answer);
}

export function same<T>(seen: T, wanted: T): void {
  if (seen !== wanted) throw new Seen(String(seen));
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
