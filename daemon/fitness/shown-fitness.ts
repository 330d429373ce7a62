import type { Seen } from "./seen.ts";

export interface Fitness extends Seen {
  readonly what: string;
}

const MARKS = { fit: "✔", warning: "!", "not fit": "✘" } as const;

/** For people: what was looked at, and what is to be done. */
export function shownFitness(found: readonly Fitness[]): string {
  const lines = found.flatMap(({ what, verdict, says, todo }) => [
    `${MARKS[verdict]} ${what}: ${both(says)}`,
    ...(todo === null ? [] : [`    doe / do: ${both(todo)}`]),
  ]);
  const faults = found.filter(({ verdict }) => verdict === "not fit").length;
  const warnings = found.filter(({ verdict }) => verdict === "warning").length;
  const counted = `${faults} fout(en) / faults, ${warnings} waarschuwing(en) / warnings`;
  return [
    ...lines,
    faults === 0 ? `GESCHIKT / FIT: ${counted}` : `NIET GESCHIKT / NOT FIT: ${counted}`,
  ].join("\n");
}

function both({ nl, en }: { nl: string; en: string }): string {
  return nl === en ? nl : `${nl} / ${en}`;
}
