import { DAY_MS } from "#base/time";
import { readPolicy, readProfile } from "../../config/load.ts";
import { fit, type Machine, type Seen, warning } from "./seen.ts";

export async function lookAtPolicy({ config }: Machine): Promise<readonly Seen[]> {
  const policy = await readPolicy(config.policy);
  const days = policy.retention / DAY_MS;
  return [fit(`${policy.name}: ${days} dagen`, `${days} days`)];
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
