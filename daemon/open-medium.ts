import type { Clock } from "#base/time";
import type { Config } from "../config/schema.ts";
import { readCredential } from "../config/secrets.ts";
import { rememberedMedium } from "../storage/catalog/medium.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import type { Events } from "./events.ts";
import { openVault } from "./open-vault.ts";
import { residencyRecorder } from "./record-residency.ts";
import type { Medium } from "./secure.ts";

/**
 * Opens the separate medium, as one that may be away: it is looked for when it is needed. Undefined where
 * the site has none.
 */
export async function openMedium(
  clock: Clock,
  database: Database,
  { secured, state }: Pick<Config, "secured" | "state">,
  events?: Events,
): Promise<(Medium & AsyncDisposable) | undefined> {
  if (secured === undefined) return undefined;
  const { medium: kind, serial } = secured;
  const recognise = rememberedMedium(database, () => clock.now(), { kind, serial });
  const recorded =
    "s3" in secured && events ? residencyRecorder(clock, database, secured.s3) : undefined;
  const vault = await openVault(clock, secured, {
    recognise,
    credentials: async () => ({ box: await readCredential("secured.credential", state) }),
    told: async (whereabouts) => recorded?.(whereabouts),
  });
  return { kind, serial, vault, [Symbol.asyncDispose]: () => vault[Symbol.asyncDispose]() };
}
