import { DAY_MS } from "#base/time";
import { readRules } from "../../config/configuration.ts";
import { readProfile } from "../../config/load.ts";
import { requireInForce } from "../accept-configuration.ts";
import { declarationsOf } from "../bucket-of.ts";
import { namedBy } from "../places.ts";
import { fit, type Machine, type Seen, warning } from "./seen.ts";

/** That it can be read; and what nobody but its administrator can know: where own storage stands. */
export function lookAtConfiguration({ path, config }: Pick<Machine, "path" | "config">): Seen {
  const declared = declarationsOf(config);
  const nl = declared.map(
    (one) =>
      `${one.bucket} staat in ${one.country}, door beheerder verklaard (${one.declaredBy}, ${one.declaredOn})`,
  );
  const en = declared.map(
    (one) =>
      `${one.bucket} is in ${one.country}, declared by the administrator (${one.declaredBy}, ${one.declaredOn})`,
  );
  return fit([path, ...nl].join("; "), [path, ...en].join("; "));
}

/** What the box goes by, its annex laid over the policy; and whether core would start under it (AR-11). */
export async function lookAtPolicy({ clock, config }: Machine): Promise<readonly Seen[]> {
  // A profile has a look of its own.
  const rules = await readRules({ ...namedBy(config), profiles: [] });
  requireInForce(config, rules, clock.now());
  const { policy, annex } = rules;
  const days = policy.retention / DAY_MS;
  const tenant = annex ? `, huurder / tenant ${annex.tenant}` : "";
  const own = policy.own_regime ? ", EIGEN REGELING / A REGIME OF ITS OWN" : "";
  return [fit(`${policy.name}${tenant}${own}: ${days} dagen`, `${days} days`)];
}

export async function lookAtProfiles({ config }: Machine): Promise<readonly Seen[]> {
  for (const { profile } of config.bodycams) await readProfile(profile);
  const count = config.bodycams.length + config.cameras.length;
  if (count > 0) return [fit(`${count} camera's`, `${count} cameras`)];
  return [
    warning(
      { nl: "geen enkele camera", en: "no camera at all" },
      {
        nl: "koppel bodycams (bewaarctl bodycams pair), of zet camera's in de configuratie",
        en: "pair bodycams (bewaarctl bodycams pair), or name cameras in the configuration",
      },
    ),
  ];
}
