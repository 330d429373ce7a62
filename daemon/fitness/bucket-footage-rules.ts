import { DAY_MS } from "#base/time";
import type { LifecycleRule } from "../../storage/vault/s3-answers.ts";
import { type BucketRow, honoured, notLocked, remark, say, unfit } from "./bucket-row.ts";

/** What of a site decides which rules its bucket needs. */
export interface Kept {
  readonly node: string;
  readonly level: "plain" | "locked";
  readonly termMs: number;
  /** Whether held footage is also on a separate medium (AR-20). */
  readonly separateCopy: boolean;
}

export const RULES = say(
  "zet de regels van: bewaard vault policy",
  "set the rules of: bewaard vault policy",
);
export const GATE = say(
  "zonder de kast blijft alles na zijn slot liggen: dag 28 wordt dan niet gehaald",
  "without the box everything stays after its lock: day 28 is then missed",
);

/** A rule that looks at tags or size as well may pass over what bewaard stores. */
export function covers({ prefix, filtered }: LifecycleRule, folder: string): boolean {
  return folder.startsWith(prefix) && !filtered;
}

/** `locked`: the bucket removes by itself what its lock lets go, within three days. */
export function gated({ node }: Kept, rules: readonly LifecycleRule[]): BucketRow {
  const what = "lifecycle footage";
  const all = rules.filter((rule) => covers(rule, `footage/${node}/`));
  const needed = {
    "Expiration 1 d": all.some(({ expireDays }) => expireDays === 1),
    "NoncurrentVersionExpiration 1 d": all.some(
      ({ noncurrentDays, newerNoncurrent }) =>
        noncurrentDays === 1 && newerNoncurrent === undefined,
    ),
    ExpiredObjectDeleteMarker: all.some(({ expireMarkers }) => expireMarkers),
  };
  const missing = Object.entries(needed).flatMap(([name, there]) => (there ? [] : [name]));
  if (missing.length === 0)
    return honoured(what, "ruimt op zodra het slot eindigt", "removes it when its lock ends");
  return notLocked(what, {
    saw: say(`ontbreekt: ${missing.join(", ")}`, `missing: ${missing.join(", ")}`),
    means: GATE,
    todo: RULES,
  });
}

/** `plain`: the box destroys. A rule that is faster takes footage in its term, and no hold stops it. */
export function unhurried(
  { termMs, separateCopy }: Kept,
  rules: readonly LifecycleRule[],
): readonly BucketRow[] {
  const what = "lifecycle footage";
  const term = Math.ceil(termMs / DAY_MS);
  const removing = rules.filter(
    ({ expireDays, expireDate, noncurrentDays }) =>
      (expireDays ?? expireDate ?? noncurrentDays) !== undefined,
  );
  if (removing.length === 0)
    return [honoured(what, "geen: de kast vernietigt zelf", "none: the box destroys by itself")];
  const named = removing.map(({ id }) => id).join(", ");
  const todo = say("haal deze regel weg, of neem die van: bewaard vault policy", RULES.en);
  const early = removing.some(
    ({ expireDays = term, expireDate }) => expireDays < term || expireDate !== undefined,
  );
  if (early) {
    return [
      unfit(what, {
        saw: say(`${named}: eerder dan de termijn van ${term} d`, `${named}: before ${term} d`),
        means: say(
          "de emmer vernietigt beelden in hun termijn, en veiliggestelde ook",
          "the bucket destroys footage within its term, held footage too",
        ),
        todo,
      }),
    ];
  }
  if (!separateCopy) {
    return [
      unfit(what, {
        saw: say(`${named}: ook wat veiliggesteld is`, `${named}: held footage too`),
        means: say(
          "plain kent geen slot, en er is geen afzonderlijk medium: veiliggestelde beelden gaan verloren",
          "plain has no locks, and there is no separate medium: held footage is lost",
        ),
        todo,
      }),
    ];
  }
  const stop = honoured(
    what,
    `vangnet na ${term} d of later`,
    `a long stop after ${term} d or more`,
  );
  const hidden = removing.some(({ noncurrentDays = term }) => noncurrentDays < term);
  return hidden ? [stop, OVERWRITTEN] : [stop];
}

const OVERWRITTEN = remark("lifecycle overwritten", {
  saw: say("wat overschreven wordt gaat na een dag weg", "what is overwritten goes after a day"),
  means: say(
    "waar If-None-Match niet afgedwongen wordt, vernietigt overschrijven: wie de kast steelt heeft dan genoeg aan haar eigen sleutel",
    "where If-None-Match is not enforced, overwriting destroys: the box's own credential is then enough for a thief",
  ),
  todo: say("weeg het vangnet af tegen dit gevaar", "weigh the long stop against this"),
});
