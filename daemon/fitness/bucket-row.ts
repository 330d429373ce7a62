import type { Say, Seen } from "./seen.ts";

/** One thing a bucket was asked or tried: what was seen, what it comes to, what to do. */
export interface BucketRow extends Seen {
  /** Stable: scripts match on it (docs/json.md). */
  readonly what: string;
  /** Null where it is well. */
  readonly means: Say | null;
  /** The levels that this bucket is not, because of this row. */
  readonly spoils: "nothing" | "locked" | "every level";
}

interface Told {
  readonly saw: Say;
  readonly means: Say;
  readonly todo: Say;
}

export function say(nl: string, en: string): Say {
  return { nl, en };
}

export function honoured(what: string, nl: string, en: string): BucketRow {
  return { what, verdict: "fit", says: { nl, en }, means: null, todo: null, spoils: "nothing" };
}

/** Worth knowing; the bucket does what it must without it. */
export function remark(what: string, { saw, means, todo }: Told): BucketRow {
  return { what, verdict: "warning", says: saw, means, todo, spoils: "nothing" };
}

/** No bucket for footage, of whatever level. */
export function unfit(what: string, { saw, means, todo }: Told): BucketRow {
  return { what, verdict: "not fit", says: saw, means, todo, spoils: "every level" };
}

/** Not what level `locked` says, though `plain` may still be true. */
export function notLocked(what: string, { saw, means, todo }: Told): BucketRow {
  return { what, verdict: "not fit", says: saw, means, todo, spoils: "locked" };
}
