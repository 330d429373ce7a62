import { systemClock } from "#base/system-clock";
import { DAY_MS } from "#base/time";
import { base64Of, CONTENT, type Ground } from "./s3-row.ts";

export interface Statement {
  readonly Effect?: "Allow" | "Deny";
  readonly Action: string | readonly string[];
  /** Below the bucket; the bucket itself when it is undefined. */
  readonly on?: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Puts a policy about the other user. */
export async function policy(ground: Ground, ...statements: readonly Statement[]): Promise<void> {
  const { s3, bucket, peer } = ground;
  const Statement = statements.map(({ Effect = "Allow", Action, on, Condition }) => ({
    Effect,
    Principal: { AWS: [peer.other.arn] },
    Action,
    Resource: `arn:aws:s3:::${bucket}${on === undefined ? "" : `/${on}`}`,
    ...(Condition === undefined ? {} : { Condition }),
  }));
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
  await s3.putBucketPolicy({ Bucket: bucket, Policy });
}

export const inDays = (days: number): Date => new Date(systemClock.now() + days * DAY_MS);
/** An object that may be put with a lock. */
export const BODY = { Body: CONTENT, ContentMD5: base64Of("md5", CONTENT) };
