import { DAY_MS } from "#base/time";
import { SEEN_DAYS } from "../desk/seen-list.ts";
import type { VaultNames } from "./names.ts";

/** One rule of a lifecycle, as S3 writes it. */
interface Rule {
  readonly ID: string;
  readonly Status: "Enabled";
  readonly Filter: { readonly Prefix: string };
  readonly Expiration?: { readonly Days: number } | { readonly ExpiredObjectDeleteMarker: true };
  readonly NoncurrentVersionExpiration?: { readonly NoncurrentDays: number };
  readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation: number };
}

/** Lists of what boxes took are looked for this long after their day (daemon/desk/seen-list.ts). */
const SEEN_RULE_DAYS = SEEN_DAYS + 1;

/** What of a vault decides its rules. */
type Terms = Pick<VaultNames, "level" | "termMs" | "separateCopy">;

export interface Lifecycle {
  readonly Rules: readonly Rule[];
}

/**
 * From the day a version expires until it is gone: rounded up to midnight, a day as not current, rounded up
 * once more, and a day for a bucket that is behind.
 */
const LAG_DAYS = 4;

/**
 * What the bucket destroys by itself, also when the box never comes back. Nothing outside `footage/`, `backup/` and
 * `desk/seen/`: ledger and the rest of the desk are the record.
 * - locked: all footage from the first day, which its lock keeps back until the end of the term, and a hold
 *   for as long as it lasts.
 * - plain: a long stop on footage that no destroyer came for. It counts from storing, and it knows no holds:
 *   only where a separate medium has what is held (AR-20).
 */
export function lifecycleOf({ level, termMs, separateCopy }: Terms): Lifecycle {
  const term = Math.ceil(termMs / DAY_MS);
  const stops = level === "locked" ? gone("footage", 1) : separateCopy ? gone("footage", term) : [];
  return {
    Rules: [
      ...stops,
      ...tidied("footage"),
      // All versions of a backup are gone when the term of what it tells of ends.
      ...gone("backup", Math.max(1, term - LAG_DAYS)),
      ...tidied("backup"),
      // Of which files were on which cameras nobody has to know longer.
      ...gone("desk/seen", SEEN_RULE_DAYS),
      ...tidied("desk/seen"),
    ],
  };
}

/** Each version goes: a marker hides the newest after `days`, and what it hides goes a day later. */
function gone(name: string, days: number): readonly Rule[] {
  const expires = { Days: days };
  const after = { NoncurrentDays: 1 };
  return [{ ...rule(name, "expires"), Expiration: expires, NoncurrentVersionExpiration: after }];
}

/** Markers that hide nothing any more and uploads that nobody finished. Not to be joined with Days. */
function tidied(name: string): readonly Rule[] {
  return [
    {
      ...rule(name, "is-tidied"),
      Expiration: { ExpiredObjectDeleteMarker: true },
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
    },
  ];
}

function rule(name: string, what: string) {
  return {
    ID: `${name.replace("/", "-")}-${what}`,
    Status: "Enabled",
    Filter: { Prefix: `${name}/` },
  } as const;
}
