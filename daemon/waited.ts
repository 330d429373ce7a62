import type { ErrorCode } from "#base/errors";
import { type Instant, instant } from "#base/time";
import { begunAt } from "../storage/spool/incoming.ts";
import { longestWaitMs, type Term } from "./term.ts";

/**
 * Since when what lies in incoming/ under `name`, and cannot be believed or read, counts as being here: since
 * its id was made. Whatever that says, somebody still has 72 hours to look before it is due (docs/time.md).
 */
export function hereSince(name: Uint8Array, now: Instant, term: Term): Instant {
  return instant(now - Math.min(hereMs(name, now), longestWaitMs(term)));
}

/**
 * Whether the disk has refused it, with `code`, for as long as may be waited for: longer, and it would outlive
 * its term where nobody can seal, find or hold it (invariant 3).
 */
export function waitedOut(code: ErrorCode, name: Uint8Array, now: Instant, term: Term): boolean {
  // A term of a day or two leaves no time to look, and is no reason not to try again.
  const longestMs = Math.max(longestWaitMs(term), term.termMs / 2);
  return code === "SPOOL_IO" && hereMs(name, now) >= longestMs;
}

function hereMs(name: Uint8Array, now: Instant): number {
  return Math.max(0, now - (begunAt(Buffer.from(name).toString("latin1")) ?? now));
}
