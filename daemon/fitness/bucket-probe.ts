import { createHash } from "node:crypto";
import { BewaardError } from "#base/errors";
import { type CiphertextSha256, parseCiphertextSha256 } from "#base/ids";
import type { Clock, Instant } from "#base/time";
import type { Piece, PutRequest, S3Calls } from "../../storage/vault/s3-answers.ts";
import type { Kept } from "./bucket-footage-rules.ts";
import { type BucketRow, say, unfit } from "./bucket-row.ts";

/** What trying a bucket takes. All that is written lies in `folder`, which nobody else has. */
export interface Probing {
  readonly clock: Clock;
  readonly kept: Kept;
  readonly box: S3Calls;
  readonly destroyer: S3Calls | undefined;
  /** `footage/<node>/check/<random>/`: where the box writes footage, so that its rights there are tried. */
  readonly folder: string;
  /** A prefix that is no box's, and so not this one's. */
  readonly elsewhere: string;
  /** The lock put on what is written; undefined where the level knows none. */
  readonly lockedUntil: Instant | undefined;
  readonly signal: AbortSignal;
}

/** The objects that a probe works with, once they are there. */
export interface Written {
  readonly key: string;
  readonly versionId: string;
}

export function pieceOf(text: string, claim = text): Piece {
  const bytes = Buffer.from(text);
  return {
    async *open() {
      yield bytes;
    },
    bytes: bytes.length,
    sha256: hashOf(claim),
  };
}

export function hashOf(text: string): CiphertextSha256 {
  return parseCiphertextSha256(createHash("sha256").update(text).digest("hex"));
}

/** Facts of a probe: no segment's. */
export const FACTS = { probe: "bewaard-check" };

export const PLAINLY: PutRequest = {
  metadata: FACTS,
  held: false,
  lockedUntil: undefined,
  once: true,
};

/** What came of asking for something that may be refused. */
export type Outcome = "done" | "denied" | "not there" | "not the bytes";

/**
 * Whether it was allowed. `not there` is what somebody hears who may, of a version that never was.
 * @throws BewaardError for what is no answer to that.
 */
export async function outcomeOf(ask: () => Promise<unknown>): Promise<Outcome> {
  try {
    await ask();
    return "done";
  } catch (error) {
    if (!(error instanceof BewaardError)) throw error;
    if (error.code === "VAULT_DENIED") return "denied";
    if (error.code === "VAULT_NOT_FOUND") return "not there";
    if (error.code === "VAULT_CORRUPT") return "not the bytes";
    throw error;
  }
}

/** Why versions were not deleted. Some refuse the whole request, and some each version. */
export async function refusalsOf(
  calls: S3Calls,
  versions: readonly Written[],
): Promise<readonly string[]> {
  try {
    return (await calls.deleteVersions(versions)).map(({ code }) => code);
  } catch (error) {
    if (error instanceof BewaardError && error.code === "VAULT_DENIED") return ["AccessDenied"];
    throw error;
  }
}

/** The rows of one try; when it fails, that is one, and the other tries go on. */
export async function tried(
  what: string,
  signal: AbortSignal,
  attempt: () => Promise<readonly BucketRow[]>,
): Promise<readonly BucketRow[]> {
  try {
    return await attempt();
  } catch (error) {
    if (signal.aborted || !(error instanceof BewaardError)) throw error;
    const told = `${error.code}: ${error.message}`;
    return [
      unfit(what, {
        saw: say(told, told),
        means: say(
          "of de emmer dit doet is niet gebleken",
          "whether the bucket does this could not be found out",
        ),
        todo: say(
          `zie docs/troubleshooting.md, ${error.code}`,
          `see docs/troubleshooting.md, ${error.code}`,
        ),
      }),
    ];
  }
}
