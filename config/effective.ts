import type { Rules } from "./configuration.ts";
import { type Plain, plain, type Setting, settingsOf } from "./plain.ts";
import type { Profile } from "./profile-schema.ts";
import type { Config } from "./schema.ts";
import { jsonSchema } from "./shape.ts";

/**
 * All that a box goes by: its own file, the policy as the annex leaves it, the annex, the profiles, each
 * with its defaults. Not the approval: that is an act, and not a setting. It holds no secret; those have
 * files of their own.
 */
export function effective(config: Config, rules: Rules): Readonly<Record<string, Plain>> {
  const { approval: _, ...box } = config;
  const profiles: Record<string, Plain> = {};
  for (const [name, profile] of Object.entries(rules.profiles)) {
    profiles[name] = plain(profile, jsonSchema("profile"));
  }
  return {
    box: plain(box, jsonSchema("box")),
    policy: plain(rules.policy, jsonSchema("policy")),
    ...(rules.annex && { annex: plain(rules.annex, jsonSchema("annex")) }),
    profiles,
  };
}

/** The same, one by one, each under the path it is known by in the ledger. */
export function effectiveSettings(config: Config, rules: Rules): readonly Setting[] {
  const { box, policy, annex } = effective(config, rules);
  return [
    ...settingsOf(box ?? {}, jsonSchema("box"), "box")
      .filter(isSaid)
      .map(hiding(config)),
    ...settingsOf(policy ?? {}, jsonSchema("policy"), "policy").filter(isSaid),
    ...settingsOf(annex ?? {}, jsonSchema("annex"), "annex"),
    ...Object.entries(rules.profiles).flatMap(([name, profile]) => profileSettings(name, profile)),
  ];
}

/**
 * What a newer bewaard holds where nobody says it. It is no setting of the site: else a box that was only
 * brought up to date would record that somebody changed it.
 */
const UNSAID: Readonly<Record<string, Setting["value"]>> = {
  "box.alarms.not_recording_minutes": 5,
  "box.alarms.disk_left": "1 day",
  "box.alarms.upload_after": "6 hours",
  "policy.read_back": "sampled",
  "profile.match.volume_label": null,
  "profile.identity": null,
  "profile.locations[**/*.{GPS,NMEA,GPX,KML,SRT}]": true,
  "profile.clock_file": null,
  "profile.set_time": null,
  "profile.loops_within": null,
  "profile.bytes_per_hour": null,
  "profile.wipe": "unlink",
  "profile.wipe_after": null,
  "profile.limits.files": 100_000,
  "profile.limits.bytes": "8000 GB",
  "profile.limits.depth": 12,
};

function isSaid({ path, value }: Setting): boolean {
  return UNSAID[path] !== value;
}

/** A covert camera is known by its number only (AR-40): what else is said of it lies apart. */
function hiding({ cameras }: Config): (one: Setting) => Setting {
  const hidden = cameras
    .filter(({ covert }) => covert !== undefined)
    .map(({ number }) => `box.cameras[${number}].`);
  return (one) => {
    const start = hidden.find((prefix) => one.path.startsWith(prefix));
    const secret = start !== undefined && one.path !== `${start}number`;
    return { ...one, personal: one.personal || secret };
  };
}

function profileSettings(name: string, profile: Profile): readonly Setting[] {
  const shape = jsonSchema("profile");
  const settings = settingsOf(plain(profile, shape), shape, "profile").filter(isSaid);
  return settings.map((one) => ({
    ...one,
    path: one.path.replace("profile", `profiles[${name}]`),
    // One of the site's own is known by its path, which then is part of each of these.
    personal: one.personal || name.startsWith("/"),
  }));
}
