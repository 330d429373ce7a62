import type { BewaardError } from "#base/errors";
import type { HoldId, SegmentId } from "#base/ids";
import { failed, type Say } from "./say.ts";

/** What is said of what the desk asks, and of holds. */
export function deskEvents(say: Say) {
  return {
    holdRequested: (hold: HoldId, incident: string, segments: number) =>
      say("notice", "hold-requested", "the desk asks to hold footage", {
        hold,
        incident,
        segments,
      }),
    holdInForce: (hold: HoldId, segment: SegmentId) =>
      say("notice", "hold-in-force", "all that a hold needs to be safe was seen", {
        hold,
        segment,
      }),
    holdLeftToDesk: (hold: HoldId) =>
      say("warning", "hold-left-to-desk", "this box may not set holds: the desk must", { hold }),
    liftLeftToDesk: (segment: SegmentId) =>
      say("warning", "lift-left-to-desk", "this box may not lift holds: the desk must", {
        segment,
      }),
    liftDelayed: (segment: SegmentId, error: BewaardError) =>
      say("error", "lift-delayed", "a hold was released and the vault holds on", {
        segment,
        ...failed(error),
      }),
    holdLost: (segment: SegmentId) =>
      say("alert", "hold-lost", "the vault does not hold any more what the desk holds", {
        segment,
      }),
    holdTooLate: (hold: HoldId, segments: readonly SegmentId[]) =>
      say(
        "alert",
        "hold-too-late",
        "a hold came after destruction had begun, or after its own release",
        { hold, segments },
      ),
    holdDelayed: (hold: HoldId, error: BewaardError) =>
      say("error", "hold-delayed", "a hold is asked for and not yet safe", {
        hold,
        ...failed(error),
      }),
    holdReleased: (hold: HoldId) =>
      say("notice", "hold-released", "the desk released a hold", { hold }),
    releaseRefused: (deskNumber: number) =>
      say("alert", "release-refused", "a release was refused: the ledger says why", {
        deskNumber,
      }),
    heldByVaultOnly: (segment: SegmentId) =>
      say("alert", "held-by-vault-only", "the vault holds footage that no desk entry holds", {
        segment,
      }),
    deskUnreadable: (days: number, error: BewaardError) =>
      say(days >= 14 ? "alert" : "error", "desk-unreadable", "the desk's entries cannot be read", {
        days,
        ...failed(error),
      }),
  };
}
