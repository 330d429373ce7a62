import type { BewaardError } from "#base/errors";
import type { HoldId, SegmentId } from "#base/ids";
import { type Instant, isoOf } from "#base/time";
import { failed, type Say } from "./say.ts";

/** What is said of what the desk asks, and of holds. */
export function deskEvents(say: Say) {
  return {
    holdRequested: (hold: HoldId, incident: string, segments: number) =>
      say("notice", "hold-requested", "the desk asks to hold {segments} segments (hold {hold})", {
        hold,
        incident,
        segments,
      }),
    holdInForce: (hold: HoldId, segment: SegmentId) =>
      say(
        "notice",
        "hold-in-force",
        "all that hold {hold} of {segment} needs to be safe was seen",
        { hold, segment },
      ),
    holdTooLate: (hold: HoldId, segments: readonly SegmentId[]) =>
      say(
        "alert",
        "hold-too-late",
        "hold {hold} came after destruction had begun, or after its own release: {segments}",
        { hold, segments },
      ),
    holdDelayed: (hold: HoldId, error: BewaardError) =>
      say("error", "hold-delayed", "hold {hold} is asked for and not yet safe", {
        hold,
        ...failed(error),
      }),
    holdReleased: (hold: HoldId) =>
      say("notice", "hold-released", "the desk released hold {hold}", { hold }),
    releaseRefused: (deskNumber: number) =>
      say(
        "alert",
        "release-refused",
        "the release in desk entry {deskNumber} was refused: the ledger says why",
        { deskNumber },
      ),
    deskUnreadable: (days: number, error: BewaardError) =>
      say(
        days >= 14 ? "alert" : "error",
        "desk-unreadable",
        "the desk's entries cannot be read, for {days} days now",
        { days, ...failed(error) },
      ),
    deskUnreadableOver: (code: string, since: Instant) =>
      say(
        "notice",
        "desk-unreadable-over",
        "the desk's entries can be read, or fail for another reason, as not since {since}",
        { code, since: isoOf(since) },
      ),
    ...holdsInVault(say),
  };
}

/** What is said of what the vault holds, beside what the desk does. */
function holdsInVault(say: Say) {
  return {
    holdLeftToDesk: (hold: HoldId) =>
      say("warning", "hold-left-to-desk", "this box may not set hold {hold}: the desk must", {
        hold,
      }),
    liftLeftToDesk: (segment: SegmentId) =>
      say(
        "warning",
        "lift-left-to-desk",
        "this box may not lift the hold of {segment}: the desk must",
        { segment },
      ),
    liftDelayed: (segment: SegmentId, error: BewaardError) =>
      say("error", "lift-delayed", "a hold of {segment} was released and the vault holds on", {
        segment,
        ...failed(error),
      }),
    holdLost: (segment: SegmentId) =>
      say(
        "alert",
        "hold-lost",
        "the vault does not hold {segment} any more, which the desk holds",
        { segment },
      ),
    heldByVaultOnly: (segment: SegmentId) =>
      say("alert", "held-by-vault-only", "the vault holds {segment}, which no desk entry holds", {
        segment,
      }),
  };
}
