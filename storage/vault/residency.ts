import { BewaardError, type ErrorCode } from "#base/errors";
import { type Clock, DAY_MS, MINUTE_MS } from "#base/time";
import type { BucketCalls, NotTold } from "./s3-answers.ts";

/** Whether a bucket must answer a question, may leave it unanswered, or is not asked because it cannot know. */
type Expected = "required" | "warn" | "unsupported";

/** A bucket, and what may be expected of it. */
export interface Residence {
  /** Answers that mean the place it should be in; none for own storage, where any will do. */
  readonly reports: readonly string[];
  readonly tells: Readonly<Record<Question, Expected>>;
}

type Asked = Pick<BucketCalls, "headBucket" | "location" | "replication">;

type Question = "header" | "location" | "replication";

/** Where a bucket says that it is, and to which it copies. */
export interface Whereabouts {
  /** What it answered, or why it did not. */
  readonly header: string;
  readonly location: string;
  readonly replication: readonly string[] | string;
  /** Why no byte goes there; undefined where all is well. */
  readonly refused: string | undefined;
}

/** A bucket that was refused is asked again after this. */
const AGAIN_MS = MINUTE_MS;

/**
 * Makes the function that is awaited before bytes leave for the bucket (DH-11, invariant 11). It asks the bucket
 * where it is, and again once that is a day ago; `told` has recorded the answer before any byte goes.
 * The function throws BewaardError VAULT_OUTSIDE_EEA (transient) while the bucket is elsewhere, copies to any
 * other, or does not let us look; VAULT_UNAVAILABLE (transient) while it does not answer at all.
 */
export function openResidency(
  clock: Clock,
  calls: Asked,
  residence: Residence,
  told: (whereabouts: Whereabouts) => Promise<void>,
): () => Promise<void> {
  let known: { readonly atMs: number; readonly refused: string | undefined } | undefined;
  let asking: Promise<void> | undefined;
  const ask = async (): Promise<void> => {
    const atMs = clock.uptimeMs();
    const whereabouts = await whereaboutsOf(calls, residence);
    await told(whereabouts);
    known = { atMs, refused: whereabouts.refused };
  };
  return async () => {
    const ageMs = known === undefined ? Infinity : clock.uptimeMs() - known.atMs;
    if (ageMs >= (known?.refused === undefined ? DAY_MS : AGAIN_MS)) {
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      await asking;
    }
    if (known?.refused === undefined) return;
    throw new BewaardError("VAULT_OUTSIDE_EEA", known.refused, { transient: true });
  };
}

/** Asks the bucket, and judges what it says. @throws BewaardError VAULT_UNAVAILABLE. */
export async function whereaboutsOf(
  calls: Asked,
  { reports, tells }: Residence,
): Promise<Whereabouts> {
  const header = await answerTo(tells.header, () => headerOf(calls));
  const location = await answerTo(tells.location, () => locationOf(calls, tells.location));
  const replication = await answerTo(tells.replication, () => calls.replication());
  const doubts = [
    doubtOfPlace("its header", header, tells.header, reports),
    doubtOfPlace("its location", location, tells.location, reports),
    doubtOfCopies(replication, tells.replication),
  ];
  return {
    header: shown(header),
    location: shown(location),
    replication: typeof replication === "string" ? replication : replication.map(printable),
    refused: doubts.find((doubt) => doubt !== undefined),
  };
}

interface Place {
  /** As the bucket names it. */
  readonly region: string;
}
type Untold = NotTold | "not asked" | "denied" | "elsewhere" | "not there";

/** What refusals say of where a bucket is. Others say nothing of it, and are thrown. */
const REFUSALS: Partial<Readonly<Record<ErrorCode, Untold>>> = {
  VAULT_DENIED: "denied",
  VAULT_NOT_FOUND: "not there",
  VAULT_OUTSIDE_EEA: "elsewhere",
};

async function answerTo<T>(
  expected: Expected,
  ask: () => Promise<T | NotTold>,
): Promise<T | Untold> {
  if (expected === "unsupported") return "not asked";
  try {
    return await ask();
  } catch (error) {
    const untold = error instanceof BewaardError ? REFUSALS[error.code] : undefined;
    if (untold === undefined) throw error;
    return untold;
  }
}

async function headerOf(calls: Asked): Promise<Place | NotTold> {
  const { region } = await calls.headBucket();
  return region === undefined ? "not told" : { region };
}

/** An empty location says nothing, but with those who must answer: with AWS it is the United States. */
async function locationOf(calls: Asked, expected: Expected): Promise<Place | NotTold> {
  const place = await calls.location();
  if (place === "not told" || (place.region === "" && expected === "warn")) return "not told";
  return place;
}

function doubtOfPlace(
  what: string,
  answer: Place | Untold,
  expected: Expected,
  reports: readonly string[],
): string | undefined {
  if (typeof answer === "string") return doubtOfSilence(what, answer, expected);
  if (reports.length === 0 || reports.includes(answer.region)) return undefined;
  return `${what} says ${shown(answer)}, which is not ${reports.join(" or ")}`;
}

function doubtOfCopies(answer: readonly string[] | Untold, expected: Expected): string | undefined {
  if (typeof answer === "string") return doubtOfSilence("whether it copies", answer, expected);
  // What was copied outlives its destruction, wherever it is (DH-09).
  return answer.length === 0 ? undefined : `it copies to ${answer.length} other bucket(s)`;
}

function doubtOfSilence(what: string, answer: Untold, expected: Expected): string | undefined {
  if (answer === "not asked") return undefined;
  if (answer === "not told" && expected !== "required") return undefined;
  return `${what}: ${answer}`;
}

/** Whoever answers chooses the text; it goes into the ledger and the journal. */
function shown(answer: Place | Untold): string {
  return typeof answer === "string"
    ? answer
    : answer.region === ""
      ? '""'
      : printable(answer.region);
}

function printable(text: string): string {
  return text.replaceAll(/[^\w.:/-]/g, "?").slice(0, 100);
}
