import type { Command } from "commander";
import { parseDutyId } from "#base/ids";
import { reference } from "../../config/values.ts";
import type { Ask } from "../control/client.ts";
import type { Result } from "../control/protocol.ts";
import { print, typed } from "./program.ts";
import { localTime } from "./shown.ts";
import { parseRole } from "./typed-role.ts";

/** `bewaarctl duties …`: what people must still do, and that they did it. */
export function addDutyCommands(
  program: Command,
  askBox: () => Promise<Ask>,
  global: () => { json: boolean },
): void {
  const duties = program
    .command("duties")
    .description("wat mensen nog moeten doen / what people must still do")
    .action(async () => {
      const open = await (await askBox())("duties", {});
      print(global().json, open, () => shownDuties(open));
    });
  duties
    .command("done")
    .description("zeg dat het gedaan is / say that it is done")
    .argument("<id>", "nummer van de plicht / id of the duty, from `bewaarctl duties`")
    .requiredOption("--by <role>", "wie het deed, als rol / who did it, as a role")
    .requiredOption("--reference <ref>", "kenmerk van het dossier / number of the file it is in")
    .action(async (id: string, options: { by: string; reference: string }) => {
      const done = await (await askBox())("duties.done", {
        id: typed(parseDutyId, id),
        by: typed(parseRole, options.by),
        reference: typed(parseReference, options.reference),
      });
      print(global().json, done, () => `${done.done}  gedaan / done`);
    });
}

/** @throws RangeError for what is no number of a document. */
function parseReference(text: string): string {
  const { success, data } = reference.safeParse(text);
  if (success) return data;
  throw new RangeError("een kenmerk / a number: Z-2026-0117");
}

const DUTIES: Readonly<Record<Result<"duties">["duties"][number]["duty"], string>> = {
  inform: "informeer de betrokkenen / inform the persons concerned",
};

function shownDuties({ duties }: Result<"duties">): string {
  if (duties.length === 0) return "niets te doen / nothing to do";
  return duties
    .map((one) =>
      [
        `${one.id}  ${one.device}: ${DUTIES[one.duty]}`,
        `    besluit / decision ${one.decision}, van / from ${localTime(one.startedAt)} tot / until ${localTime(one.endedAt)}`,
        `    open sinds / since ${localTime(one.openedAt)}`,
      ].join("\n"),
    )
    .join("\n");
}
