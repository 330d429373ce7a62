import { BewaardError } from "#base/errors";
import { type Clock, type Instant, isoOf } from "#base/time";
import type { Config } from "../../config/schema.ts";
import { decrypterOf } from "../../storage/seal/small.ts";
import { backupAt } from "../../storage/vault/keys.ts";
import { type Known, makeAgain, type RebuildReport } from "../rebuild.ts";
import { openVaultUnknown } from "../vault-of-box.ts";
import { type OpenedBackup, openNewestBackup, type Refused } from "./open-backup.ts";

/** What came of it, for people and programs. */
export interface RestoreReport extends RebuildReport {
  readonly madeAt: string;
  /** Newer ones that could not be used. */
  readonly refused: readonly Refused[];
}

/**
 * Makes the catalog of a lost box again from its newest backup and what its vault knows since (procedure "Restore").
 * `identity` is what lay in the envelope. In the vault nothing is changed.
 * @throws BewaardError what `rebuildBox` and `openNewestBackup` throw; DESK_KEY when `identity` is no age identity.
 */
export async function restoreBox(
  clock: Clock,
  config: Config,
  known: Known,
  identity: string,
  signal: AbortSignal,
): Promise<RestoreReport> {
  const decrypter = decrypterOf(identityIn(identity));
  let opened: OpenedBackup | undefined;
  const begin = async (...[path, keys]: Parameters<Parameters<typeof makeAgain>[3]>) => {
    await using vault = await openVaultUnknown(clock, config);
    opened = await openNewestBackup(vault, config.node, keys, decrypter, path, signal);
    return opened;
  };
  const report = await makeAgain(clock, config, known, begin, signal);
  if (opened === undefined) throw new BewaardError("BACKUP_NOT_FOUND", "no backup was opened");
  return { ...report, madeAt: isoOf(momentOf(opened.key)), refused: opened.refused };
}

/** `age-keygen` writes comments above it. */
function identityIn(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.find((line) => line.startsWith("AGE-SECRET-KEY-")) ?? text;
}

function momentOf(key: string): Instant {
  const at = backupAt(key);
  if (at === undefined) throw new Error(`${key} is no key of a backup`);
  return at;
}
