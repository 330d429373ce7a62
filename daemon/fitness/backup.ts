import { BewaardError } from "#base/errors";
import { type Clock, instantOf } from "#base/time";
import { oneKind } from "../../storage/seal/recipients.ts";
import { OLD_MS } from "../backup/backup.ts";
import { readRecoveryKeys } from "../backup/make.ts";
import { localTime } from "../cli/shown.ts";
import { asker } from "../control/client.ts";
import { socketPath } from "../places.ts";
import { fit, type Machine, type Seen, warning } from "./seen.ts";

/** Whether a dead box would come back with what its vault alone does not know. */
export async function lookAtBackup(
  { clock, config }: Machine,
  signal: AbortSignal,
): Promise<readonly Seen[]> {
  if (config.backup === undefined) return config.site.demo ? [] : [nobodyHasAKey()];
  const keys = await readRecoveryKeys(config.backup.recipients);
  const kind = oneKind(keys);
  const known = fit(`${keys.length} herstelsleutel(s) (${kind})`, `recovery keys: ${keys.length}`);
  try {
    const { backupAt } = await asker(socketPath(config), signal)("status", {});
    return [known, ...(backupAt === null ? [] : [newest(clock, backupAt)])];
  } catch (error) {
    // That nothing answers is told elsewhere.
    if (error instanceof BewaardError && error.code === "CONTROL_UNREACHABLE") return [known];
    throw error;
  }
}

function newest(clock: Clock, at: string): Seen {
  const says = { nl: `de nieuwste is van ${localTime(at)}`, en: `the newest is of ${at}` };
  if (clock.now() - instantOf(at) <= OLD_MS) return fit(says.nl, says.en);
  const todo = {
    nl: "kijk in het journaal naar backup-failed",
    en: "see backup-failed in the journal",
  };
  return warning(says, todo);
}

function nobodyHasAKey(): Seen {
  return warning(
    {
      nl: "er is geen herstelsleutel, dus geen back-up van de catalogus",
      en: "there is no recovery key, so there are no backups of the catalog",
    },
    {
      nl: "bewaard recovery-key, en backup: in de configuratie (docs/recover.md)",
      en: "see docs/recover.md: a key for the envelope, and backup: in the configuration",
    },
  );
}
