import type { Logger } from "winston";
import type { BewaardError } from "#base/errors";
import type { DeviceId, DutyId } from "#base/ids";
import { type Instant, isoOf } from "#base/time";
import { alarmEvents } from "./events-of-alarms.ts";
import { backupEvents } from "./events-of-backups.ts";
import { awayEvents, bodycamEvents } from "./events-of-bodycams.ts";
import { cameraEvents } from "./events-of-cameras.ts";
import { dockEvents, oddFileEvents } from "./events-of-cards.ts";
import { deskEvents } from "./events-of-desk.ts";
import { slotEvents } from "./events-of-docks.ts";
import { footageEvents, roomEvents, vaultEvents } from "./events-of-footage.ts";
import { mediumEvents } from "./events-of-media.ts";
import { residencyEvents } from "./events-of-residency.ts";
import { setTimeEvents } from "./events-of-set-times.ts";
import { sweepEvents } from "./events-of-sweeps.ts";
import { wipeEvents } from "./events-of-wipes.ts";
import { sentence } from "./journal/sentence.ts";
import { failed, type Say } from "./say.ts";

/** Everything bewaard ever logs: one function an event, here and in events-of-*.ts. */
export type Events = ReturnType<typeof eventsOf>;

/** Names are stable: administrators match on `event`. Fields never carry a person, a secret or a signed URL. */
export function openEvents(logger: Logger): Events {
  return eventsOf((level, event, text, fields) => {
    logger.log({ level, message: sentence(text, fields), event, ...fields });
  });
}

export function eventsOf(say: Say) {
  return {
    ...boxEvents(say),
    ...serviceEvents(say),
    ...dutyEvents(say),
    ...alarmEvents(say),
    ...roomEvents(say),
    ...footageEvents(say),
    ...vaultEvents(say),
    ...residencyEvents(say),
    ...deskEvents(say),
    ...mediumEvents(say),
    ...sweepEvents(say),
    ...backupEvents(say),
    ...dockEvents(say),
    ...oddFileEvents(say),
    ...cameraEvents(say),
    ...bodycamEvents(say),
    ...awayEvents(say),
    ...wipeEvents(say),
    ...setTimeEvents(say),
    ...slotEvents(say),
  };
}

function boxEvents(say: Say) {
  return {
    started: (node: string, roles: readonly string[]) =>
      say("notice", "started", "bewaard is running on {node}: {roles}", { node, roles }),
    stopped: (node: string) => say("notice", "stopped", "bewaard has stopped on {node}", { node }),
    configChanged: (changes: number, sha256: string) =>
      say(
        "notice",
        "config-changed",
        "this box goes by another configuration than before ({changes} changes)",
        { changes, sha256 },
      ),
    clockUntrusted: (why: string) =>
      say("alert", "clock-untrusted", "time is not trusted, nothing is destroyed until it is", {
        why,
      }),
    clockTrusted: (why: string) => say("notice", "clock-trusted", "time is trusted", { why }),
    rebuiltWaits: () =>
      say(
        "alert",
        "rebuilt-waits",
        "a catalog made from the vault destroys nothing until vault and desk were read",
        {},
      ),
    turnFailed: (loop: string, error: BewaardError) =>
      say("error", "turn-failed", "{loop} could not do its work this time, and will try again", {
        loop,
        ...failed(error),
      }),
    ...ledgerEvents(say),
  };
}

/** What is said of the ledger. */
function ledgerEvents(say: Say) {
  return {
    checkpoint: (size: number, note: string) =>
      say("notice", "checkpoint", "the ledger of {size} entries was signed and published", {
        size,
        note,
      }),
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
        "the ledger here is another than the one in the vault, nothing is destroyed or signed",
        failed(error),
      ),
    timestamped: (size: number, toldAt: string) =>
      say(
        "notice",
        "timestamped",
        "an outside authority has timestamped the signed ledger of {size} entries",
        { size, toldAt },
      ),
    timestampDelayed: (error: BewaardError) =>
      say("error", "timestamp-delayed", "no timestamp over the signed ledger", failed(error)),
    archived: (key: string, first: number, last: number) =>
      say(
        "notice",
        "archived",
        "ledger entries {first} to {last}, and old rows, left for a sealed archive",
        { key, first, last },
      ),
    archiveDelayed: (error: BewaardError) =>
      say("error", "archive-delayed", "old rows could not be archived and stay", failed(error)),
  };
}

/** What is said of this process, and of who runs it. */
function serviceEvents(say: Say) {
  return {
    journalLinesLost: (lines: number) =>
      say(
        "warning",
        "journal-lines-lost",
        "the journal did not read: {lines} lines were not kept for it",
        { lines },
      ),
    reloadRefused: (error: BewaardError) =>
      say(
        "error",
        "reload-refused",
        "the configuration cannot be used as it is now, all goes on by the one before",
        failed(error),
      ),
    reloadWaits: (part: string) =>
      say("warning", "reload-waits", "what has changed counts for {part} when that is restarted", {
        part,
      }),
    loopLate: (loop: string, quietMs: number) =>
      say(
        "alert",
        "loop-late",
        "{loop} hangs, for {quietMs} now: the watchdog is fed no more, and this process will be started anew",
        { loop, quietMs },
      ),
    managerUnheard: (why: string) =>
      say("error", "manager-unheard", "systemd could not be told how this process does", {
        why,
      }),
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
      say(
        "warning",
        "incident-reminder",
        "{day} days since an incident was marked, and {footage} segments of then are not held[: the first goes at {dueAt}]",
        { mark, device, day, footage, dueAt: dueAt === undefined ? null : isoOf(dueAt) },
      ),
    dutyOpen: (duty: DutyId, kind: string, device: DeviceId, openedAt: Instant) =>
      say(
        "warning",
        "duty-open",
        "somebody must still do this, and say that it is done: {kind}, since {openedAt}",
        { duty, kind, device, openedAt: isoOf(openedAt) },
      ),
  };
}
