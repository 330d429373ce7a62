import type { RebuildReport } from "../rebuild.ts";
import type { RestoreReport } from "../restore/restore.ts";

/** For people: what came of it, without what came to nothing. */
export function shownRebuild(report: RebuildReport): string {
  const lines: readonly (readonly [number, string])[] = [
    [report.signed, "regels onder de laatste handtekening / entries under the newest signed head"],
    [
      report.entries - report.signed,
      "regels daarna, die niemand tekende / entries after it, unsigned",
    ],
    [report.stored, "fragmenten in de kluis / segments in the vault"],
    [report.sealed, "alleen in de spool van deze kast / in the spool of this box only"],
    [report.destroyed + report.archived, "vernietigd / destroyed"],
    [report.destroying, "nog te vernietigen / still to be destroyed"],
    [report.adopted, "opgenomen uit de kluis zelf / taken up from the vault itself"],
    [report.lost, "VERLOREN met de kast / LOST with the box"],
    [report.missing, "ONTBREKEN in de kluis / MISSING from the vault"],
    [report.heldLost, "veiliggesteld en NERGENS meer / held, and NOWHERE any more"],
    [report.returned, "vernietigd en toch in de kluis / destroyed, and in the vault all the same"],
    [report.strange.length, "vreemd in de kluis / strange in the vault"],
    [report.setApart, "uit de spool naar quarantaine / from the spool to quarantine"],
  ];
  return [
    "Catalogus opnieuw gemaakt / catalog made again:",
    ...lines.filter(([count]) => count > 0).map(([count, what]) => `  ${count} ${what}`),
    ...report.strange.map((key) => `    ${key}`),
    report.configuration === "same"
      ? "Zelfde configuratie als tevoren / same configuration as before"
      : "ANDERE configuratie dan tevoren: kijk of instemming nodig is / ANOTHER configuration than before: see whether consent is needed",
    "Er wordt pas iets vernietigd als kluis en bureau gelezen zijn / nothing is destroyed until vault and desk were read",
  ].join("\n");
}

/** The same, of what began with a backup: and which newer ones it did not begin with. */
export function shownRestore(report: RestoreReport): string {
  return [
    `Back-up van / backup of ${report.madeAt}`,
    ...report.refused.map(
      ({ key, code }) =>
        `  NIET TE GEBRUIKEN, en nieuwer / NOT USABLE, and newer: ${key} (${code})`,
    ),
    ...report.newer
      .filter((key) => !report.refused.some((one) => one.key === key))
      .map((key) => `  NIET MEER in de kluis, en nieuwer / GONE from the vault, and newer: ${key}`),
    shownRebuild(report),
  ].join("\n");
}
