import { stat } from "node:fs/promises";
import { BewaardError } from "#base/errors";
import { type Clock, instantOf } from "#base/time";
import type { Config } from "../../config/schema.ts";
import { oneKind } from "../../storage/seal/recipients.ts";
import { OLD_MS } from "../backup/known.ts";
import { readRecoveryKeys } from "../backup/make.ts";
import { backupRoom } from "../backup/room.ts";
import { localTime } from "../cli/shown.ts";
import { asker } from "../control/client.ts";
import { catalogPath, socketPath } from "../places.ts";
import { fit, gigabytes, type Machine, type Seen, warning } from "./seen.ts";

/** Whether a dead box would come back with what its vault alone does not know, and will when its ring is full. */
export async function lookAtBackup(
  { clock, config }: Machine,
  signal: AbortSignal,
): Promise<readonly Seen[]> {
  if (config.backup === undefined && config.site.demo) return [];
  const known =
    config.backup === undefined ? nobodyHasAKey() : await keysIn(config.backup.recipients);
  const status = await statusOf(config, signal);
  const at = config.backup === undefined ? null : (status?.backupAt ?? null);
  const fits = config.site.demo ? [] : await besideFullRing(config, status?.spoolBytes);
  return [known, ...(at === null ? [] : [newest(clock, at)]), ...fits];
}

async function keysIn(path: string): Promise<Seen> {
  const keys = await readRecoveryKeys(path);
  return fit(
    `${keys.length} herstelsleutel(s) (${oneKind(keys)})`,
    `recovery keys: ${keys.length}`,
  );
}

/** Undefined where nothing answers, which is told elsewhere. */
async function statusOf(config: Config, signal: AbortSignal) {
  try {
    return await asker(socketPath(config), signal)("status", {});
  } catch (error) {
    if (error instanceof BewaardError && error.code === "CONTROL_UNREACHABLE") return undefined;
    throw error;
  }
}

/** Nothing where there will be room for a backup, though the spool holds all that it may: `spoolBytes` is what it holds now. */
async function besideFullRing(
  config: Config,
  spoolBytes: number | undefined,
): Promise<readonly Seen[]> {
  const { path, limit, keep_free: keepFreeBytes } = config.spool;
  // That one of them is not there is told elsewhere.
  const seen = await Promise.allSettled([config.state, path].map((folder) => stat(folder)));
  if (seen.some(({ status }) => status === "rejected")) return [];
  const catalog = catalogPath(config);
  const room = await backupRoom({ catalog, spool: path, keepFreeBytes });
  const held = spoolBytes ?? (room.catalogBytes === 0 ? 0 : undefined);
  // Of a box that does not answer nobody knows what its spool holds: then no more than the disk has beside it.
  const besideBytes = held === undefined ? room.diskBytes - limit : room.freeBytes + held - limit;
  const leftBytes = room.shared ? Math.max(keepFreeBytes, besideBytes) : room.freeBytes;
  if (leftBytes >= room.neededBytes) return [];
  const [needed, left] = [room.neededBytes, leftBytes].map(gigabytes);
  const full = room.shared
    ? { nl: " naast een volle ring", en: " beside a full ring" }
    : { nl: "", en: "" };
  return [
    warning(
      {
        nl: `er is${full.nl} geen ruimte voor een back-up: die vraagt ${needed}, en er is ${left}`,
        en: `there is no room for a backup${full.en}: it needs ${needed}, and ${left} is left`,
      },
      {
        nl: "maak spool.limit kleiner, of geef spool en state elk een eigen schijf",
        en: "lower spool.limit, or give spool and state a disk each",
      },
    ),
  ];
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
