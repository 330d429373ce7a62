import { BewaardError } from "#base/errors";
import type { Rules } from "../../config/configuration.ts";
import { readProfile } from "../../config/load.ts";
import { readBodycams } from "../../storage/catalog/bodycams.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";

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
