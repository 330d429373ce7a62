import type { ErrorCode } from "#base/errors";
import { CARD_REFUSALS } from "../../drivers/bodycam/card-record.ts";

/** Why a slot is as it is. People read what daemon/cli/shown-docks.ts says of each. */
export const SLOT_WHYS = [
  ...CARD_REFUSALS,
  // busy
  "recognising",
  "reading",
  "adopting",
  "core-away",
  "setting-clock",
  // busy at first, then failed
  "card-gone",
  // safe, or done
  "clock-not-set",
  "clock-not-set-now",
  // safe
  "waits-for-vault",
  "waits-for-cable",
  "wiping",
  "not-wiped-here",
  "not-wiped-now",
  "not-emptied",
  "stays-on-card",
  "write-protected",
  // failed
  "no-record",
  "record-differs",
  "more-than-one-card",
  "profile-unread",
  "card-unread",
  "file-changes",
  "not-adopted",
  "no-room",
  "no-key",
  "disk-refuses",
  // said by core
  "dock-away",
] as const;

export type SlotWhy = (typeof SLOT_WHYS)[number];

const OF_ERRORS: Partial<Record<ErrorCode, SlotWhy>> = {
  BODYCAM_ALIKE: "same-identity",
  CARD_READ: "card-unread",
  SOURCE_IRREGULAR: "card-unread",
  SOURCE_TOO_LARGE: "too-large",
  SOURCE_CHANGED: "file-changes",
  MANIFEST_LIES: "not-adopted",
  SPOOL_FULL: "no-room",
  RECIPIENT_INVALID: "no-key",
  RECIPIENT_MISSING: "no-key",
  RECIPIENT_MIXED: "no-key",
  CONTROL_UNREACHABLE: "core-away",
  CONTROL_REFUSED: "core-away",
};

/** What a failure is to whoever stands at the slot. */
export function whyOf(code: ErrorCode): SlotWhy {
  return OF_ERRORS[code] ?? "disk-refuses";
}
