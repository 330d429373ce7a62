import { BewaardError } from "#base/errors";
import { openInTurn } from "#base/in-turn";
import type { Clock } from "#base/time";
import type { Rules } from "../../config/configuration.ts";
import { readProfile } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import { readBodycams } from "../../storage/catalog/bodycams.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import { enterProfiles } from "../accept-configuration.ts";
import type { Events } from "../events.ts";

/**
 * `rules` with the profiles of paired bodycams: what is footage and whose clock is believed is decided there as
 * much as in those that the configuration names. One that cannot be read is left out, and told by `watchBodycams`.
 */
export async function withPairedProfiles(database: Database, rules: Rules): Promise<Rules> {
  const profiles = { ...rules.profiles };
  for (const { profile, retiredAt } of await database.transaction(readBodycams)) {
    if (retiredAt !== undefined || Object.hasOwn(profiles, profile)) continue;
    try {
      profiles[profile] = await readProfile(profile);
    } catch (error) {
      if (!(error instanceof BewaardError)) throw error;
    }
  }
  return { ...rules, profiles };
}

/**
 * Makes what is called after each change of pairing: enters the profiles that are gone by from then on. A crash before
 * leaves it to the next start.
 */
export function profileEnterer(
  clock: Clock,
  events: Events,
  database: Database,
  config: Config,
  rules: Rules,
): () => Promise<void> {
  // One at a time: of two that read them at once, the older would be entered last.
  const inTurn = openInTurn();
  const enter = async (): Promise<void> =>
    enterProfiles(clock, events, database, config, await withPairedProfiles(database, rules));
  return () => inTurn(enter);
}
