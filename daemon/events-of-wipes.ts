import type { BewaardError } from "#base/errors";
import type { DeviceId, SegmentId } from "#base/ids";
import { failed, type Say } from "./say.ts";

// What there is to say of cards that are wiped: a part of daemon/events.ts.

export function wipeEvents(say: Say) {
  return {
    wipeOrdered: (device: DeviceId, order: string, files: number, how: string) =>
      say("info", "wipe-ordered", "{files} files may be wiped from its card: the order is signed", {
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
      say(
        "notice",
        "wiped",
        "{removed} files were removed from its card after their second read, {kept} were kept",
        { device, order, removed, kept, left, emptied },
      ),
    wipeFailed: (
      device: DeviceId,
      order: string,
      outcome: string,
      why: string | null,
      removed: number,
    ) =>
      say(
        "error",
        "wipe-failed",
        "its card was not wiped, or not to the end ({outcome}), {removed} files are gone",
        { device, order, outcome, why, removed },
      ),
    ...failingCards(say),
    wipeUnreported: (device: DeviceId, order: string) =>
      say(
        "alert",
        "wipe-unreported",
        "nothing was heard of an order to wipe its card: the next docking shows what became of it",
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
        "the second read of {segment} gave other bytes: both are kept, and it is read again",
        { segment, device, order },
      ),
    wipeStuck: (device: DeviceId, order: string, files: number) =>
      say(
        "alert",
        "wipe-stuck",
        "{files} files were left on its card three times: look at that card",
        { device, order, files },
      ),
    filesReturned: (device: DeviceId, docking: string, files: number) =>
      say(
        "alert",
        "files-returned",
        "{files} files that were removed from its card are on it again: it fails, or somebody put them back",
        { device, docking, files },
      ),
  };
}
