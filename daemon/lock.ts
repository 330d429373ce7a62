import { DUE_MARGIN_MS } from "#base/term";
import { DAY_MS, HOUR_MS, type Instant, instant, plus } from "#base/time";
import type { Wanted } from "../storage/catalog/copies.ts";
import type { Segment } from "../storage/catalog/segment-row.ts";
import type { VaultLevel } from "../storage/vault/vault.ts";

/** A locked bucket's rule takes at most this long once a lock has ended: a day to come, a day to be done. */
export const RULE_TAKES_MS = 2 * DAY_MS;
/** What has less than this left of its term at upload could outlive it by the rule: spool only. */
const LEAST_LEFT_MS = 5 * DAY_MS;
/** What is due within this time is not worth a write that would be undone. */
const LAST_CALL_MS = HOUR_MS;

/**
 * Until when a locked vault keeps `segment`: two days before its term ends, so that the bucket's own rule
 * is done in time though this box never comes back. Undefined where that is over, or the term not known:
 * such footage is stored held only, and a lock cannot be taken back.
 */
export function lockedUntil(
  { dueAt, dueProvisional }: Pick<Segment, "dueAt" | "dueProvisional">,
  now: Instant,
): Instant | undefined {
  const until = dueAt + DUE_MARGIN_MS - RULE_TAKES_MS;
  return dueProvisional || until <= now ? undefined : instant(until);
}

/** Which segments go to a vault of this level; the others stay in the spool, unless they are held. */
export function wantedBy(level: VaultLevel, now: Instant): Omit<Wanted, "except"> {
  if (level !== "locked") return { dueAfter: plus(now, LAST_CALL_MS), provisional: true };
  return { dueAfter: plus(now, LEAST_LEFT_MS - DUE_MARGIN_MS), provisional: false };
}
