import type { BewaardError } from "#base/errors";
import type { HoldId, SegmentId } from "#base/ids";
import type { MediumName } from "../storage/catalog/medium.ts";
import { failed, type Say } from "./say.ts";

const of = ({ kind, serial }: MediumName) => ({ medium: kind, serial });

/** What is said of the separate medium, and of the copies on it. */
export function mediumEvents(say: Say) {
  return {
    holdSecured: (hold: HoldId, segment: SegmentId) =>
      say("notice", "hold-secured", "the separate medium has the same bytes", { hold, segment }),
    securingDelayed: (segment: SegmentId, error: BewaardError) =>
      say("alert", "securing-delayed", "held footage could not be copied to its medium", {
        segment,
        ...failed(error),
      }),
    mediumFull: (medium: MediumName, error: BewaardError) =>
      say("alert", "medium-full", "the separate medium is full: held footage waits", {
        ...of(medium),
        ...failed(error),
      }),
    mediumAwaited: (medium: MediumName, segments: number) =>
      say("alert", "medium-awaited", "held footage waits for its separate copy", {
        ...of(medium),
        segments,
      }),
    separateCopyMissing: (segments: number) =>
      say(
        "alert",
        "separate-copy-missing",
        "policy asks for a separate copy, and there is no medium",
        {
          segments,
        },
      ),
    mediumMustCome: (medium: MediumName, segments: number) =>
      say(
        "alert",
        "medium-must-come",
        "released footage is still on a medium: present it, or let two people sign its destruction",
        { ...of(medium), segments },
      ),
    securedOverdue: (medium: MediumName, segments: number) =>
      say("alert", "secured-overdue", "separate copies are kept longer than policy allows", {
        ...of(medium),
        segments,
      }),
    unsecuringDelayed: (segment: SegmentId, error: BewaardError) =>
      say("alert", "unsecuring-delayed", "a separate copy could not be removed", {
        segment,
        ...failed(error),
      }),
    securedDestroyed: (segment: SegmentId, medium: MediumName) =>
      say("notice", "secured-destroyed", "a separate copy was destroyed and looked for again", {
        ...of(medium),
        segment,
      }),
    securedLost: (segment: SegmentId, medium: MediumName) =>
      say("alert", "secured-lost", "the separate copy of held footage is gone with its medium", {
        ...of(medium),
        segment,
      }),
    ...destroyedMedia(say),
  };
}

/** What is said of media that are, or should be, no more. */
function destroyedMedia(say: Say) {
  return {
    mediumReturned: (medium: MediumName) =>
      say(
        "alert",
        "medium-returned",
        "a medium that was signed to be destroyed is here",
        of(medium),
      ),
    mediumStatement: (deskNumber: number) =>
      say("notice", "medium-statement", "one person signed the destruction of a medium", {
        deskNumber,
      }),
    mediumRefused: (deskNumber: number) =>
      say("alert", "medium-refused", "a medium's destruction was refused: the ledger says why", {
        deskNumber,
      }),
    mediumDestroyed: (medium: MediumName, segments: number) =>
      say("notice", "medium-destroyed", "the destruction of a medium was signed as it must be", {
        ...of(medium),
        segments,
      }),
  };
}
