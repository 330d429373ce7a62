import { DAY_MS } from "#base/time";
import { readRules } from "../../config/configuration.ts";
import { readProfile } from "../../config/load.ts";
import { requireInForce } from "../accept-configuration.ts";
import { fit, type Machine, type Seen, warning } from "./seen.ts";

/** What the box goes by, its annex laid over the policy; and whether core would start under it (AR-11). */
export async function lookAtPolicy({ clock, config }: Machine): Promise<readonly Seen[]> {
  const rules = await readRules({ policy: config.policy, annex: config.annex, profiles: [] });
  requireInForce(config, rules, clock.now());
  const days = rules.policy.retention / DAY_MS;
  return [fit(`${rules.policy.name}: ${days} dagen`, `${days} days`)];
}

export async function lookAtProfiles({ config }: Machine): Promise<readonly Seen[]> {
  for (const { profile } of config.bodycams) await readProfile(profile);
  const count = config.bodycams.length;
  if (count > 0) return [fit(`${count} camera's`, `${count} cameras`)];
  return [
    warning(
      { nl: "geen enkele camera", en: "no camera at all" },
      { nl: "zet ze onder bodycams: in de configuratie", en: "name them under bodycams:" },
    ),
  ];
}
