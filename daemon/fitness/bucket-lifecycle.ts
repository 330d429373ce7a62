import { DAY_MS } from "#base/time";
import type { LifecycleRule } from "../../storage/vault/s3-answers.ts";
import type { Answers } from "./bucket-answers.ts";
import { unsaid } from "./bucket-place.ts";
import { type BucketRow, honoured, notLocked, remark, say, unfit } from "./bucket-row.ts";

/** The law's term, counted from recording. */
const LAW_DAYS = 28;
/** A rule counts from midnight after each of its two steps (S3: "rounded up to the next midnight UTC"). */
const ROUNDED_DAYS = 2;
/** What rules may reach: ledger and desk stay (ARCHITECTURE §6). */
const OWN = ["footage/", "backup/"];

/** What of a site decides which rules its bucket needs. */
export interface Kept {
  readonly node: string;
  readonly level: "plain" | "locked";
  readonly termMs: number;
  /** Whether held footage is also on a separate medium (AR-20). */
  readonly separateCopy: boolean;
}

/** Which rules the bucket obeys by itself, whether bewaard lives or not. */
export function lifecycleRows(kept: Kept, told: Answers["lifecycle"]): readonly BucketRow[] {
  if (typeof told === "string") return unknown(kept, told);
  const rules = told.filter(({ enabled }) => enabled);
  const footage = rules.filter((rule) => touches(rule, `footage/${kept.node}/`));
  return [
    reach(rules),
    ...(kept.level === "locked" ? [gated(kept, footage)] : unhurried(kept, footage)),
    backup(rules.filter((rule) => covers(rule, `backup/${kept.node}/`))),
    unfinished(kept, footage),
    cold(footage),
  ];
}

function unknown({ level }: Kept, told: "not told" | "denied"): readonly BucketRow[] {
  const means = say(
    "een regel kan beelden te vroeg weghalen, of grootboek en besluiten",
    "a rule may remove footage too early, or the ledger and the desk's entries",
  );
  const asked = unsaid("lifecycle reach", told, means);
  if (level === "plain") return [asked];
  return [
    asked,
    notLocked("lifecycle footage", {
      saw: say("niet te zien", "cannot be seen"),
      means: GATE,
      todo: RULES,
    }),
  ];
}

function touches({ prefix }: LifecycleRule, folder: string): boolean {
  return prefix.startsWith(folder) || folder.startsWith(prefix);
}

/** A rule that looks at tags or size as well may pass over what bewaard stores. */
function covers({ prefix, filtered }: LifecycleRule, folder: string): boolean {
  return folder.startsWith(prefix) && !filtered;
}

const RULES = say(
  "zet de regels van: bewaard vault policy",
  "set the rules of: bewaard vault policy",
);
const GATE = say(
  "zonder de box blijft alles na zijn slot liggen: dag 28 wordt dan niet gehaald",
  "without the box everything stays after its lock: day 28 is then missed",
);

function reach(rules: readonly LifecycleRule[]): BucketRow {
  const what = "lifecycle reach";
  const beyond = rules.filter(({ prefix }) => !OWN.some((own) => prefix.startsWith(own)));
  if (beyond.length === 0)
    return honoured(what, "alleen footage/ en backup/", "only footage/ and backup/");
  const named = beyond
    .map(({ id, prefix }) => `${id} (${prefix === "" ? "*" : prefix})`)
    .join(", ");
  return unfit(what, {
    saw: say(`reikt verder dan footage/ en backup/: ${named}`, `reaches beyond: ${named}`),
    means: say(
      "het grootboek en de besluiten verdwijnen: niets is dan nog te bewijzen",
      "ledger and desk entries disappear: nothing can be proven any more",
    ),
    todo: say("geef elke regel een prefix daarbinnen", "give each rule a prefix within them"),
  });
}

/** `locked`: the bucket removes by itself what its lock lets go, within three days (term − 2 d, field notes). */
function gated({ node }: Kept, rules: readonly LifecycleRule[]): BucketRow {
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
function unhurried(
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

function backup(rules: readonly LifecycleRule[]): BucketRow {
  const what = "lifecycle backup";
  const expires = Math.min(...rules.map(({ expireDays = Number.POSITIVE_INFINITY }) => expireDays));
  const goes = Math.min(
    ...rules.map(({ noncurrentDays = Number.POSITIVE_INFINITY, newerNoncurrent }) =>
      newerNoncurrent === undefined ? noncurrentDays : Number.POSITIVE_INFINITY,
    ),
  );
  const days = expires + goes + ROUNDED_DAYS;
  if (days <= LAW_DAYS) return honoured(what, `hoogstens ${days} d`, `at most ${days} d`);
  return unfit(what, {
    saw: Number.isFinite(days)
      ? say(`tot ${days} d`, `up to ${days} d`)
      : say("geen regel die alles weghaalt", "no rule that removes all of it"),
    means: say(
      "een back-up weet na 28 dagen nog wat vernietigd had moeten zijn",
      "a backup still knows after 28 days what should be gone",
    ),
    todo: RULES,
  });
}

function unfinished({ level, node }: Kept, rules: readonly LifecycleRule[]): BucketRow {
  const what = "lifecycle unfinished";
  const days = Math.min(
    ...rules
      .filter((rule) => covers(rule, `footage/${node}/`))
      .map(({ abortDays = Number.POSITIVE_INFINITY }) => abortDays),
  );
  if (days === 1) return honoured(what, "na 1 d weg", "gone after 1 d");
  const told = {
    saw: Number.isFinite(days)
      ? say(`na ${days} d`, `after ${days} d`)
      : say("geen regel", "no rule"),
    means: say(
      "delen van een afgebroken verzending blijven onzichtbaar liggen, zonder slot",
      "parts of an upload that broke off stay unseen, without a lock",
    ),
    todo: RULES,
  };
  return level === "locked" ? notLocked(what, told) : remark(what, told);
}

function cold(rules: readonly LifecycleRule[]): BucketRow {
  const what = "lifecycle transitions";
  const moving = rules.filter(({ moves }) => moves).map(({ id }) => id);
  if (moving.length === 0) return honoured(what, "geen", "none");
  return remark(what, {
    saw: say(`${moving.join(", ")}: naar een andere opslagklasse`, `to another storage class`),
    means: say(
      "openen kan uren duren, en vernietigen kan extra kosten",
      "opening may take hours, and destroying may cost extra",
    ),
    todo: say("haal de verplaatsing weg", "remove the transition"),
  });
}
