import type { Logger } from "winston";
import type { BewaardError } from "#base/errors";
import type { DeviceId, DutyId, HoldId, SegmentId } from "#base/ids";
import { type Instant, isoOf } from "#base/time";
import { bodycamEvents } from "./events-of-bodycams.ts";
import { cameraEvents } from "./events-of-cameras.ts";
import { dockEvents, oddFileEvents } from "./events-of-cards.ts";
import { slotEvents } from "./events-of-docks.ts";
import { mediumEvents } from "./events-of-media.ts";
import { residencyEvents } from "./events-of-residency.ts";
import { sweepEvents } from "./events-of-sweeps.ts";
import { wipeEvents } from "./events-of-wipes.ts";
import { failed, type Say } from "./say.ts";

/** Everything bewaard ever logs: one function an event, here and in events-of-*.ts. */
export type Events = ReturnType<typeof openEvents>;

/** Names are stable: administrators match on `event`. Fields never carry a person, a secret or a signed URL. */
export function openEvents(logger: Logger) {
  const say: Say = (level, event, message, fields) =>
    void logger.log({ level, message, event, ...fields });
  return {
    ...boxEvents(say),
    ...dutyEvents(say),
    ...roomEvents(say),
    ...footageEvents(say),
    ...vaultEvents(say),
    ...residencyEvents(say),
    ...deskEvents(say),
    ...mediumEvents(say),
    ...sweepEvents(say),
    ...dockEvents(say),
    ...oddFileEvents(say),
    ...cameraEvents(say),
    ...bodycamEvents(say),
    ...wipeEvents(say),
    ...slotEvents(say),
  };
}

function boxEvents(say: Say) {
  return {
    started: (node: string, roles: readonly string[]) =>
      say("notice", "started", "bewaard is running", { node, roles }),
    stopped: (node: string) => say("notice", "stopped", "bewaard has stopped", { node }),
    configChanged: (changes: number, sha256: string) =>
      say("notice", "config-changed", "this box goes by another configuration than before", {
        changes,
        sha256,
      }),
    clockUntrusted: (why: string) =>
      say("alert", "clock-untrusted", "time is not trusted: nothing is destroyed until it is", {
        why,
      }),
    clockTrusted: (why: string) =>
      say("notice", "clock-trusted", "outside sources vouch for the time", { why }),
    checkpoint: (size: number, note: string) =>
      say("notice", "checkpoint", "ledger signed and published", { size, note }),
    checkpointDelayed: (error: BewaardError) =>
      say(
        "error",
        "checkpoint-delayed",
        "the signed ledger could not leave this box",
        failed(error),
      ),
    ledgerDiverged: (error: BewaardError) =>
      say(
        "alert",
        "ledger-diverged",
        "the ledger here is another than the one in the vault: nothing is destroyed or signed",
        failed(error),
      ),
    rebuiltWaits: () =>
      say(
        "alert",
        "rebuilt-waits",
        "a catalog made from the vault destroys nothing until vault and desk were read",
        {},
      ),
    timestamped: (size: number, toldAt: string) =>
      say("notice", "timestamped", "an outside authority has timestamped the signed ledger", {
        size,
        toldAt,
      }),
    timestampDelayed: (error: BewaardError) =>
      say("error", "timestamp-delayed", "no timestamp over the signed ledger", failed(error)),
    turnFailed: (loop: string, error: BewaardError) =>
      say("error", "turn-failed", "a loop could not do its work this time, and will try again", {
        loop,
        ...failed(error),
      }),
    archived: (key: string, first: number, last: number) =>
      say("notice", "archived", "old rows and ledger entries left for a sealed archive", {
        key,
        first,
        last,
      }),
    archiveDelayed: (error: BewaardError) =>
      say("error", "archive-delayed", "old rows could not be archived and stay", failed(error)),
  };
}

function dutyEvents(say: Say) {
  return {
    incidentReminder: (
      mark: string,
      device: DeviceId,
      day: number,
      footage: number,
      dueAt: Instant | undefined,
    ) =>
      say("warning", "incident-reminder", "an incident was marked and its footage is not held", {
        mark,
        device,
        day,
        footage,
        dueAt: dueAt === undefined ? null : isoOf(dueAt),
      }),
    dutyOpen: (duty: DutyId, kind: string, device: DeviceId, openedAt: Instant) =>
      say("warning", "duty-open", "somebody must still do this, and say that it is done", {
        duty,
        kind,
        device,
        openedAt: isoOf(openedAt),
      }),
  };
}

function roomEvents(say: Say) {
  return {
    evicted: (segments: number) =>
      say("info", "evicted", "stored footage overwritten in the ring", { segments }),
    evictDelayed: (segments: number, error: BewaardError) =>
      say("error", "evict-delayed", "files could not be removed to make room", {
        segments,
        ...failed(error),
      }),
    overwritten: (segments: readonly SegmentId[]) =>
      say("alert", "overwritten", "footage that the vault did not have was overwritten: a gap", {
        segments,
      }),
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
      say("alert", "spool-full", "no room in the spool, and nothing left that may be overwritten", {
        wantedBytes,
      }),
  };
}

function footageEvents(say: Say) {
  return {
    adopted: (segment: SegmentId, device: DeviceId, timeTrust: string) =>
      say("info", "adopted", "footage adopted into the ring", { segment, device, timeTrust }),
    timeUncertain: (segment: SegmentId, device: DeviceId, timeTrust: string) =>
      // Overdue: somebody has 72 hours to look.
      say(
        timeTrust === "overdue" ? "alert" : "warning",
        "time-uncertain",
        "the camera's clock cannot be relied on for the term",
        { segment, device, timeTrust },
      ),
    timeAmbiguous: (segment: SegmentId, device: DeviceId) =>
      say("warning", "time-ambiguous", "clocks changed in this hour: two starts are possible", {
        segment,
        device,
      }),
    duplicate: (segment: SegmentId, of: SegmentId) =>
      say("info", "duplicate", "the same file was taken before; the new copy is dropped", {
        segment,
        of,
      }),
    quarantined: (producer: string, name: string, error: BewaardError) =>
      say(
        "alert",
        "quarantined",
        "what was handed over cannot be believed, or read, and is set apart",
        {
          producer,
          name,
          ...failed(error),
        },
      ),
    adoptDelayed: (producer: string, name: string, error: BewaardError) =>
      say("error", "adopt-delayed", "footage waits in incoming/", {
        producer,
        name,
        ...failed(error),
      }),
    gapRecorded: (device: DeviceId, cause: string) =>
      say("warning", "gap", "something was not recorded", { device, cause }),
    destroyed: (segments: number) =>
      say("notice", "destroyed", "footage destroyed at the end of its term, and looked for again", {
        segments,
      }),
    destroyDelayed: (segment: SegmentId, error: BewaardError) =>
      say("error", "destroy-delayed", "footage past its term could not be destroyed everywhere", {
        segment,
        ...failed(error),
      }),
    vaultCopyMissing: (segment: SegmentId) =>
      say("alert", "vault-copy-missing", "the vault's copy was gone before its term ended", {
        segment,
      }),
    overdue: (segments: number) =>
      say("alert", "overdue", "footage is past its term and not destroyed: a breach", { segments }),
    quarantineDestroyed: (id: string) =>
      say(
        "notice",
        "quarantine-destroyed",
        "quarantined bytes destroyed at the end of their term",
        {
          id,
        },
      ),
  };
}

function vaultEvents(say: Say) {
  return {
    stored: (segment: SegmentId) =>
      say("info", "stored", "the vault holds the same bytes", { segment }),
    storeDelayed: (segment: SegmentId, error: BewaardError) =>
      say("warning", "store-delayed", "footage waits for the vault", { segment, ...failed(error) }),
    storePaused: (waitMs: number) =>
      say(
        "error",
        "store-paused",
        "the vault does not answer: everything waits, and it is asked again",
        {
          waitMs,
        },
      ),
    unsafe: (segment: SegmentId, error: BewaardError) =>
      say("alert", "unsafe", "footage cannot be stored: look at this segment today", {
        segment,
        ...failed(error),
      }),
  };
}

function deskEvents(say: Say) {
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
