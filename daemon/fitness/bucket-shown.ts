import type { Left } from "./bucket-left.ts";
import type { BucketRow } from "./bucket-row.ts";
import type { Say } from "./seen.ts";

const MARKS = { fit: "✔", warning: "!", "not fit": "✘" } as const;

type Level = "directory" | "plain" | "locked";

/** What was found of a vault (docs/json.md). */
export interface VaultReport {
  /** Name of the bucket, or the directory. */
  readonly vault: string;
  /** What the configuration calls it. */
  readonly configured: Level;
  /** What it amounts to, whatever the configuration calls it. */
  readonly amountsTo: Level | "none";
  /** Whether it is what the configuration calls it. */
  readonly fit: boolean;
  readonly checks: readonly BucketRow[];
  readonly left: readonly Left[];
}

/** What the rows come to. A vault that is less than its configuration says is refused. */
export function reportOf(
  vault: string,
  configured: Level,
  checks: readonly BucketRow[],
  left: readonly Left[],
): VaultReport {
  const spoilt = new Set(checks.map(({ spoils }) => spoils));
  const best = configured === "locked" && spoilt.has("locked") ? "plain" : configured;
  const amountsTo = spoilt.has("every level") ? "none" : best;
  return { vault, configured, amountsTo, fit: amountsTo === configured, checks, left };
}

const AMOUNTS: Readonly<Record<VaultReport["amountsTo"], string>> = {
  directory: "directory: wie er schrijft kan vernietigen / whoever writes there can destroy",
  locked: "locked: niemand vernietigt voor het slot eindigt / nobody destroys before the lock ends",
  plain:
    "plain: wie de sleutel van de vernietiger heeft, vernietigt / who has the destroyer's credential destroys",
  none: "geen kluis voor beelden / no vault for footage",
};

const AT_MOST_PLAIN =
  "hoogstens plain, met de regels en sleutels daarvan / at most plain, with the rules and credentials of that";

export function shownVault({
  vault,
  configured,
  amountsTo,
  fit,
  checks,
  left,
}: VaultReport): string {
  const rows = checks.flatMap(({ what, verdict, says, means, todo }) => [
    `${MARKS[verdict]} ${what}: ${both(says)}`,
    ...(means === null ? [] : [`    betekent / means: ${both(means)}`]),
    ...(todo === null ? [] : [`    doe / do: ${both(todo)}`]),
  ]);
  const remains = left.map(
    ({ key, goneBy }) => `  blijft / remains: ${key}, weg op / gone by ${goneBy ?? "-"}`,
  );
  const is = amountsTo === "plain" && !fit ? AT_MOST_PLAIN : AMOUNTS[amountsTo];
  const says = `${vault}: ${configured} ingesteld / configured; is ${is}`;
  return [
    ...rows,
    ...remains,
    fit ? `GESCHIKT / FIT: ${says}` : `NIET GESCHIKT / NOT FIT: ${says}`,
  ].join("\n");
}

function both({ nl, en }: Say): string {
  return nl === en ? nl : `${nl} / ${en}`;
}
