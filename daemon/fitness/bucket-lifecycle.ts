import { SEEN_PREFIX } from "../../storage/vault/keys.ts";
import type { LifecycleRule } from "../../storage/vault/s3-answers.ts";
import type { Answers } from "./bucket-answers.ts";
import { covers, GATE, gated, type Kept, RULES, unhurried } from "./bucket-footage-rules.ts";
import { unsaid } from "./bucket-place.ts";
import { type BucketRow, honoured, notLocked, remark, say, unfit } from "./bucket-row.ts";

/** The law's term, counted from recording. */
const LAW_DAYS = 28;
/** A rule counts from midnight after each of its two steps (S3: "rounded up to the next midnight UTC"). */
const ROUNDED_DAYS = 2;
/** What rules may reach: the ledger stays, and what the desk decided. */
const OWN = ["footage/", "backup/", SEEN_PREFIX];

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

function reach(rules: readonly LifecycleRule[]): BucketRow {
  const what = "lifecycle reach";
  const beyond = rules.filter(({ prefix }) => !OWN.some((own) => prefix.startsWith(own)));
  if (beyond.length === 0)
    return honoured(
      what,
      "alleen footage/, backup/ en desk/seen/",
      "only footage/, backup/ and desk/seen/",
    );
  const named = beyond
    .map(({ id, prefix }) => `${id} (${prefix === "" ? "*" : prefix})`)
    .join(", ");
  return unfit(what, {
    saw: say(
      `reikt verder dan footage/, backup/ en desk/seen/: ${named}`,
      `reaches beyond: ${named}`,
    ),
    means: say(
      "het grootboek en de besluiten verdwijnen: niets is dan nog te bewijzen",
      "ledger and desk entries disappear: nothing can be proven any more",
    ),
    todo: say("geef elke regel een prefix daarbinnen", "give each rule a prefix within them"),
  });
}

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
