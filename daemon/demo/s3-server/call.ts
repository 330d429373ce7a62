import type { Clock } from "#base/time";
import type { Keep } from "./keep.ts";
import type { Quirks } from "./quirks.ts";
import { Refusal } from "./refusal.ts";
import type { S3Request } from "./request.ts";
import type { Bucket } from "./state.ts";

/** One request whose signature was right, with what it is about. */
export interface Call {
  readonly clock: Clock;
  readonly keep: Keep;
  readonly quirks: Quirks;
  readonly region: string;
  readonly request: S3Request;
  /** Name of the user; undefined for anybody. */
  readonly caller: string | undefined;
  /** What the signature says the body's SHA-256 is, or that it says nothing. */
  readonly payload: string;
  /** The body, where it is a document and no object. */
  readonly text: string;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes come with their own content-length. */
  readonly body?: string | AsyncIterable<Uint8Array>;
}

/** The account that all users and buckets of this server belong to. */
export const ACCOUNT = "123456789012";

export function bucketOf({ keep, request, quirks }: Call): Bucket {
  const bucket = keep.state.buckets.get(request.bucket);
  if (bucket === undefined) throw new Refusal(404, "NoSuchBucket");
  const expected = request.header("x-amz-expected-bucket-owner");
  if (quirks.owner && expected !== undefined && expected !== ACCOUNT) {
    throw new Refusal(403, "AccessDenied", "The bucket is not owned by the expected owner");
  }
  return bucket;
}
