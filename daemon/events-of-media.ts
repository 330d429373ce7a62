import type { BewaardError } from "#base/errors";
import type { HoldId, SegmentId } from "#base/ids";
import type { MediumName } from "../storage/catalog/medium.ts";
import { failed, type Say } from "./say.ts";

const of = ({ kind, serial }: MediumName) => ({ medium: kind, serial });

/** What is said of the separate medium, and of the copies on it. */
export function mediumEvents(say: Say) {
  return {
    holdSecured: (hold: HoldId, segment: SegmentId) =>
      say(
        "notice",
        "hold-secured",
        "the separate medium has the same bytes of {segment} (hold {hold})",
        { hold, segment },
      ),
    securingDelayed: (segment: SegmentId, error: BewaardError) =>
      say("alert", "securing-delayed", "held footage {segment} could not be copied to its medium", {
        segment,
        ...failed(error),
      }),
    mediumFull: (medium: MediumName, error: BewaardError) =>
      say("alert", "medium-full", "the separate medium {serial} is full, held footage waits", {
        ...of(medium),
        ...failed(error),
      }),
    mediumAwaited: (medium: MediumName, segments: number) =>
      say(
        "alert",
        "medium-awaited",
        "{segments} held segments wait for their separate copy on {medium} {serial}",
        { ...of(medium), segments },
      ),
    separateCopyMissing: (segments: number) =>
      say(
        "alert",
        "separate-copy-missing",
        "policy asks for a separate copy of {segments} segments, and there is no medium",
        { segments },
      ),
    ...destroyedMedia(say),
    ...separateCopies(say),
  };
}

/** What is said of the end of what is on them. */
function separateCopies(say: Say) {
  return {
    mediumMustCome: (medium: MediumName, segments: number) =>
      say(
        "alert",
        "medium-must-come",
        "{segments} released segments are still on {medium} {serial}: present it, or let two people sign its destruction",
        { ...of(medium), segments },
      ),
    securedOverdue: (medium: MediumName, segments: number) =>
      say(
        "alert",
        "secured-overdue",
        "{segments} separate copies on {medium} {serial} are kept longer than policy allows",
        { ...of(medium), segments },
      ),
    unsecuringDelayed: (segment: SegmentId, error: BewaardError) =>
      say("alert", "unsecuring-delayed", "the separate copy of {segment} could not be removed", {
        segment,
        ...failed(error),
      }),
    securedDestroyed: (segment: SegmentId, medium: MediumName) =>
      say(
        "notice",
        "secured-destroyed",
        "the separate copy of {segment} on {medium} {serial} was destroyed and looked for again",
        { ...of(medium), segment },
      ),
    securedLost: (segment: SegmentId, medium: MediumName) =>
      say(
        "alert",
        "secured-lost",
        "the separate copy of {segment}, which is held, is gone with {medium} {serial}",
        { ...of(medium), segment },
      ),
  };
}

/** What is said of media that are, or should be, no more. */
function destroyedMedia(say: Say) {
  return {
    mediumReturned: (medium: MediumName) =>
      say(
        "alert",
        "medium-returned",
        "{medium} {serial} was signed to be destroyed, and is here",
        of(medium),
      ),
    mediumStatement: (deskNumber: number) =>
      say(
        "notice",
        "medium-statement",
        "one person signed the destruction of a medium (desk entry {deskNumber})",
        { deskNumber },
      ),
    mediumRefused: (deskNumber: number) =>
      say(
        "alert",
        "medium-refused",
        "a medium's destruction was refused, the ledger says why (desk entry {deskNumber})",
        { deskNumber },
      ),
    mediumDestroyed: (medium: MediumName, segments: number) =>
      say(
        "notice",
        "medium-destroyed",
        "the destruction of {medium} {serial} with {segments} segments was signed as it must be",
        { ...of(medium), segments },
      ),
  };
}
