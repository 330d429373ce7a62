import type { BewaardError } from "#base/errors";
import type { DeviceId, SegmentId } from "#base/ids";
import { failed, type Say } from "./say.ts";

/** What is said of the room there is for footage. */
export function roomEvents(say: Say) {
  return {
    evicted: (segments: number) =>
      say("info", "evicted", "{segments} stored segments overwritten in the ring", { segments }),
    evictDelayed: (segments: number, error: BewaardError) =>
      say("error", "evict-delayed", "{segments} files could not be removed to make room", {
        segments,
        ...failed(error),
      }),
    overwritten: (segments: readonly SegmentId[]) =>
      say(
        "alert",
        "overwritten",
        "footage that the vault did not have was overwritten, a gap: {segments}",
        { segments },
      ),
    catalogFull: () =>
      say(
        "alert",
        "catalog-full",
        "the catalog's disk is full: it lives on its reserve, or has none",
        {},
      ),
    catalogChecked: () =>
      say("info", "catalog-checked", "the whole catalog was read and is sound", {}),
    catalogDamaged: (error: BewaardError) =>
      say("alert", "catalog-damaged", "the catalog's file is damaged", failed(error)),
    reserveMade: () => say("notice", "reserve-made", "the catalog has its reserve of room", {}),
    spoolFull: (wantedBytes: number) =>
      say(
        "alert",
        "spool-full",
        "no room in the spool for {wantedBytes}, and nothing left that may be overwritten",
        { wantedBytes },
      ),
  };
}

/** What is said of footage, from its arrival to its end. */
export function footageEvents(say: Say) {
  return {
    adopted: (segment: SegmentId, device: DeviceId, timeTrust: string) =>
      say("info", "adopted", "{segment} adopted into the ring (time: {timeTrust})", {
        segment,
        device,
        timeTrust,
      }),
    timeUncertain: (segment: SegmentId, device: DeviceId, timeTrust: string) =>
      // Overdue: somebody has 72 hours to look.
      say(
        timeTrust === "overdue" ? "alert" : "warning",
        "time-uncertain",
        "its clock cannot be relied on for the term of {segment} ({timeTrust})",
        { segment, device, timeTrust },
      ),
    timeAmbiguous: (segment: SegmentId, device: DeviceId) =>
      say(
        "warning",
        "time-ambiguous",
        "clocks changed in the hour of {segment}: two starts are possible",
        { segment, device },
      ),
    duplicate: (segment: SegmentId, of: SegmentId) =>
      say("info", "duplicate", "{of} was taken before: the new copy {segment} is dropped", {
        segment,
        of,
      }),
    quarantined: (producer: string, name: string, error: BewaardError) =>
      say(
        "alert",
        "quarantined",
        "what {producer} handed over cannot be believed, or read, and is set apart",
        { producer, name, ...failed(error) },
      ),
    adoptDelayed: (producer: string, name: string, error: BewaardError) =>
      say("error", "adopt-delayed", "footage of {producer} waits in incoming/", {
        producer,
        name,
        ...failed(error),
      }),
    gapRecorded: (device: DeviceId, cause: string) =>
      say("warning", "gap", "something was not recorded: {cause}", { device, cause }),
    ...endingFootage(say),
  };
}

/** What is said of its end. */
function endingFootage(say: Say) {
  return {
    destroyed: (segments: number) =>
      say(
        "notice",
        "destroyed",
        "{segments} segments destroyed at the end of their term, and looked for again",
        { segments },
      ),
    destroyDelayed: (segment: SegmentId, error: BewaardError) =>
      say(
        "error",
        "destroy-delayed",
        "{segment} is past its term and could not be destroyed everywhere",
        { segment, ...failed(error) },
      ),
    vaultCopyMissing: (segment: SegmentId) =>
      say(
        "alert",
        "vault-copy-missing",
        "the vault's copy of {segment} was gone before its term ended",
        { segment },
      ),
    quarantineDestroyed: (id: string) =>
      say(
        "notice",
        "quarantine-destroyed",
        "quarantined bytes destroyed at the end of their term: {id}",
        { id },
      ),
  };
}

/** What is said of storing it. */
export function vaultEvents(say: Say) {
  return {
    stored: (segment: SegmentId) =>
      say("info", "stored", "the vault holds the same bytes of {segment}", { segment }),
    storeDelayed: (segment: SegmentId, error: BewaardError) =>
      say("warning", "store-delayed", "{segment} waits for the vault", {
        segment,
        ...failed(error),
      }),
    storePaused: (waitMs: number) =>
      say(
        "error",
        "store-paused",
        "the vault does not answer: everything waits, and it is asked again in {waitMs}",
        { waitMs },
      ),
    unsafe: (segment: SegmentId, error: BewaardError) =>
      say("alert", "unsafe", "{segment} cannot be stored, look at it today", {
        segment,
        ...failed(error),
      }),
  };
}
