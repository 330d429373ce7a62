import { BewaardError } from "#base/errors";
import { type Clock, DAY_MS, every, HOUR_MS, type Instant, MINUTE_MS } from "#base/time";
import type { Database } from "../../storage/catalog/sqlite.ts";
import type { Vault } from "../../storage/vault/vault.ts";
import type { Events } from "../events.ts";
import type { AskHistory } from "../one-history.ts";
import { steady } from "../steady.ts";
import { timeTrust } from "../trust.ts";
import { knownBackup } from "./known.ts";
import { type BackedUp, makeBackup, removeLeft } from "./make.ts";
import { abandonUnfinished, removeOldBackups } from "./old.ts";

const LOOK_EVERY_MS = 10 * MINUTE_MS;
const RETRY_AFTER_MS = HOUR_MS;

/**
 * Makes a backup of the catalog once a day, until the signal aborts (procedure "Back up"). None is made of a ledger that is not known to be the one that left this box. While time is
 * not trusted none is made, for its day is in its name, and none destroyed. Old ones go from a directory also where
 * no new ones are made.
 */
export async function backup(
  clock: Clock,
  events: Events,
  database: Database,
  vault: Vault,
  box: BackedUp,
  askHistory: AskHistory,
  signal: AbortSignal,
): Promise<void> {
  const turn = steady(clock, events, "backup");
  // At the start other things come first.
  let tidyFromMs = clock.uptimeMs() + LOOK_EVERY_MS;
  let makeFromMs = tidyFromMs;
  for await (const now of every(clock, LOOK_EVERY_MS, signal)) {
    await turn(async () => {
      if (!(await timeTrust(clock, database)).trusted) return;
      const wanted = box.recipients !== undefined && (await isDue(database, now));
      const uptimeMs = clock.uptimeMs();
      const [tidies, makes] = [uptimeMs >= tidyFromMs, wanted && uptimeMs >= makeFromMs];
      // What cannot be removed keeps no new one from being made, nor the other way round.
      if (tidies) {
        const done = await tidied(events, vault, box, now, signal);
        tidyFromMs = uptimeMs + (done ? DAY_MS : RETRY_AFTER_MS);
      }
      if (!makes || (await askHistory(signal)) !== "one") return;
      try {
        const made = await makeBackup(clock, database, vault, box, signal);
        events.backupMade(made.key, made.sealedBytes);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof BewaardError)) throw error;
        // It reads the whole catalog: not each ten minutes while the vault is away.
        makeFromMs = clock.uptimeMs() + RETRY_AFTER_MS;
        events.backupFailed(error);
      }
    });
  }
}

async function isDue(database: Database, now: Instant): Promise<boolean> {
  const known = await knownBackup(database, now);
  // A clock that was set back must not stop them.
  const ageMs = Math.abs(now - known.at);
  return !known.made || ageMs >= DAY_MS;
}

/** Removes what is old or was left; false where it could not all be, and is to be tried again. */
async function tidied(
  events: Events,
  vault: Vault,
  box: BackedUp,
  now: Instant,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await removeLeft(box);
    const left = await removeOldBackups(vault, box, now, signal);
    if (left > 0) events.backupsKept(left);
    await abandonUnfinished(vault, box.node);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    if (!(error instanceof BewaardError)) throw error;
    events.turnFailed("backup", error);
    return false;
  }
}
