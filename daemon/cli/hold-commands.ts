import type { Command } from "commander";
import { parseHoldId } from "#base/ids";
import type { Ask } from "../control/client.ts";
import type { Result } from "../control/protocol.ts";
import { print, typed } from "./program.ts";
import { localTime } from "./shown.ts";

type Holds = Result<"holds">;

/** `bewaarctl holds`: what is held here, and what of it is safe. */
export function addHoldCommands(
  program: Command,
  askBox: () => Promise<Ask>,
  global: () => { json: boolean },
): void {
  program
    .command("holds")
    .description("veiligstellingen op deze kast / holds on this box, and whether they are in force")
    .argument("[hold]", "één ervan, met haar fragmenten / one of them, with its segments")
    .action(async (hold: string | undefined) => {
      const one = hold === undefined ? null : typed(parseHoldId, hold);
      const found = await (await askBox())("holds", { hold: one });
      print(global().json, found, () => shownHolds(found));
    });
}

const STATES: Readonly<Record<Holds["holds"][number]["state"], string>> = {
  requested: "AANGEVRAAGD, NOG NIET VEILIG / ASKED, NOT YET SAFE",
  "in force": "van kracht / in force",
  released: "vrijgegeven / released",
};

export function shownHolds({ holds, segments }: Holds): string {
  if (holds.length === 0) return "niets veiliggesteld / nothing held";
  return [...holds.flatMap(shownHold), ...segments.map(shownSegment)].join("\n");
}

function shownHold(one: Holds["holds"][number]): readonly string[] {
  const come = one.toCome > 0 ? `, nog te komen / to come: ${one.toCome}` : "";
  return [
    `${one.id}  ${STATES[one.state]}`,
    `    incident ${one.incident}, door / by ${one.owner ?? "?"}, herzien / review ${localTime(one.reviewAt)}`,
    `    fragmenten / segments: ${one.segments}, van kracht / in force: ${one.inForce}, afzonderlijk / on a separate medium: ${one.secured}${come}`,
    ...(one.releasedAt === null
      ? []
      : [`    vrijgegeven op / released on ${localTime(one.releasedAt)}`]),
  ];
}

function shownSegment(one: Holds["segments"][number]): string {
  const where =
    one.medium === null || one.copy === "gone"
      ? "geen afzonderlijke kopie / no separate copy"
      : `${one.copy === "leaving" ? "moet weg van / must leave " : ""}${one.medium} ${one.serial}`;
  return `  ${one.id}  ${STATES[one.state]}; ${where}`;
}
