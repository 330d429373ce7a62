import type { Json } from "./canonical.ts";

/**
 * The kinds of fact the ledger knows, one entry each. An entry names people by pseudonym only; what is
 * personal goes into `detail`, of which the entry carries a salted commitment.
 */
export const ENTRY_KINDS = [
  "bewaard.started",
  "device.paired",
  "device.placed",
  "bodycam.identified",
  "bodycam.paired",
  "bodycam.retired",
  "bodycam.volume-changed",
  "segment.sealed",
  "segment.term",
  "segments.stored",
  "segments.destroying",
  "segments.destroyed",
  "copies.evicted",
  "gap.recorded",
  "card.emptied",
  "card.returned",
  "card.wiped",
  "file.left",
  "file.taken",
  "incident.marked",
  "manifest.quarantined",
  "quarantine.destroyed",
  "hold.requested",
  "hold.in-force",
  "hold.released",
  "hold.too-late",
  "hold.lost",
  "hold.secured",
  "secured.destroyed",
  "secured.lost",
  "medium.destroyed",
  "medium.refused",
  "release.refused",
  "clock.confirmed",
  "clock.set",
  "clock.trusted",
  "clock.untrusted",
  "checkpoint.timestamped",
  "config.changed",
  "duty.opened",
  "duty.done",
  "rows.archived",
  "backup.made",
  "vault.residency",
  "catalog.rebuilt",
  "vault.swept",
  "breach.overdue",
] as const;

export type EntryKind = (typeof ENTRY_KINDS)[number];

export interface Entry {
  readonly kind: EntryKind;
  /** What happened, beside `at` and `kind`. Never a name, a secret or free text of a person. */
  readonly facts: { readonly [key: string]: Json };
  /** Personal detail with its own term. */
  readonly detail?: { readonly facts: Json; readonly eraseAfterMs: number };
}
