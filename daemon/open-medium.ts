import { BewaardError } from "#base/errors";
import type { Clock } from "#base/time";
import type { Config } from "../config/schema.ts";
import { rememberedMedium } from "../storage/catalog/medium.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { openDirectoryVault } from "../storage/vault/directory.ts";
import type { Medium } from "./secure.ts";

/**
 * Opens the separate medium, as one that may be away: it is looked for when it is needed. Undefined where
 * the site has none.
 */
export async function openMedium(
  clock: Clock,
  database: Database,
  secured: Config["secured"],
): Promise<(Medium & AsyncDisposable) | undefined> {
  if (secured === undefined) return undefined;
  const { medium: kind, serial } = secured;
  if (!("directory" in secured))
    throw new BewaardError("CONFIG_INVALID", "secured.s3: here only a directory will do");
  const recognise = rememberedMedium(database, () => clock.now(), { kind, serial });
  const vault = await openDirectoryVault(secured.directory, recognise);
  return { kind, serial, vault, [Symbol.asyncDispose]: () => vault[Symbol.asyncDispose]() };
}
