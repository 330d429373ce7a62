import { readProfile } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import { readBodycams } from "../../storage/catalog/bodycams.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import type { Term } from "../term.ts";
import type { RuleOf } from "./wiper.ts";

/** Of cameras in the configuration, and of those that are paired; as their profile is now. */
export function rulesOf(
  { bodycams, docks }: Pick<Config, "bodycams" | "docks">,
  { termMs }: Term,
  database: Database,
): RuleOf {
  const site = docks?.wipe_after ?? "vault";
  return async (device) => {
    const paired = await database.transaction(readBodycams);
    const name =
      bodycams.find(({ number }) => number === device)?.profile ??
      paired.find((one) => one.device === device && one.retiredAt === undefined)?.profile;
    if (name === undefined) return undefined;
    const { wipe, wipe_after: own, loops_within: loopMs } = await readProfile(name);
    // Paired later than the configuration was read: what keeps footage past its term is wiped all the same.
    const after = own === "never" && (loopMs ?? Infinity) > termMs ? site : (own ?? site);
    return { after, how: wipe };
  };
}
