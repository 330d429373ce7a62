import type { BewaardError } from "#base/errors";
import type { DeviceId, SegmentId } from "#base/ids";
import { failed, type Say } from "./say.ts";

// What there is to say of cards that are wiped: a part of daemon/events.ts.

export function wipeEvents(say: Say) {
  return {
    wipeOrdered: (device: DeviceId, order: string, files: number, how: string) =>
      say("info", "wipe-ordered", "a card may be wiped: the order is signed", {
        device,
        order,
        files,
        how,
      }),
    wiped: (
      device: DeviceId,
      order: string,
      removed: number,
      kept: number,
      left: number | null,
      emptied: boolean,
    ) =>
      say("notice", "wiped", "files were removed from a card after their second read", {
        device,
        order,
        removed,
        kept,
        left,
        emptied,
      }),
    wipeFailed: (
      device: DeviceId,
      order: string,
      outcome: string,
      why: string | null,
      removed: number,
    ) =>
      say("error", "wipe-failed", "a card was not wiped, or not to the end", {
        device,
        order,
        outcome,
        why,
        removed,
      }),
    ...failingCards(say),
    wipeUnreported: (device: DeviceId, order: string) =>
      say(
        "alert",
        "wipe-unreported",
        "nothing was heard of an order to wipe a card: the next docking shows what became of it",
        { device, order },
      ),
    reportRefused: (device: DeviceId, order: string, error: BewaardError) =>
      say("alert", "report-refused", "what is said of an order is not believed", {
        device,
        order,
        ...failed(error),
      }),
  };
}

/** What a card does that does not do what it is told. */
function failingCards(say: Say) {
  return {
    wipeChanged: (segment: SegmentId, device: DeviceId, order: string) =>
      say(
        "alert",
        "wipe-changed",
        "the second read of a file gave other bytes: both are kept, and it is read again",
        { segment, device, order },
      ),
    wipeStuck: (device: DeviceId, order: string, files: number) =>
      say("alert", "wipe-stuck", "files were left on a card three times: look at that card", {
        device,
        order,
        files,
      }),
    filesReturned: (device: DeviceId, docking: string, files: number) =>
      say(
        "alert",
        "files-returned",
        "files that were removed from a card are on it again: it fails, or somebody put them back",
        { device, docking, files },
      ),
  };
}
