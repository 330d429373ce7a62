import type { BewaardError } from "#base/errors";
import { type Instant, isoOf } from "#base/time";
import { failed, type Say } from "./say.ts";

/** What is said of the daily backup of the catalog. */
export function backupEvents(say: Say) {
  return {
    backupMade: (key: string, bytes: number) =>
      say("notice", "backup-made", "the vault has a new backup of the catalog", { key, bytes }),
    backupFailed: (error: BewaardError) =>
      say("error", "backup-failed", "no backup of the catalog could be made", failed(error)),
    backupOld: (newest: Instant | undefined) =>
      say("alert", "backup-old", "there has been no backup of the catalog for two days", {
        newest: newest === undefined ? null : isoOf(newest),
      }),
    backupOldOver: (since: Instant) =>
      say("notice", "backup-old-over", "the catalog is backed up again, as not since {since}", {
        since: isoOf(since),
      }),
    backupsKept: (backups: number) =>
      say("alert", "backups-kept", "the vault has backups of more than 28 days ago", { backups }),
  };
}
