import type { Command } from "commander";
import type { Ask } from "../control/client.ts";
import type { Result } from "../control/protocol.ts";
import { print, typed } from "./program.ts";
import { localTime } from "./shown.ts";
import { parseNumber } from "./typed-number.ts";
import { parseRole } from "./typed-role.ts";
import { parseWindow } from "./window.ts";

/** `bewaarctl bodycams mark | marks`: what happened before a camera, for people to be reminded of. */
export function addMarkCommands(
  bodycams: Command,
  askBox: () => Promise<Ask>,
  global: () => { json: boolean },
): void {
  bodycams
    .command("mark")
    .description(
      "markeer een incident: herinnert op dag 7, 14 en 21, en bewaart niets langer / mark an incident: reminds on days 7, 14 and 21, and keeps nothing for longer",
    )
    .argument("<number>", "cameranummer / camera number: bc-0101")
    .requiredOption("--by <role>", "wie markeert, als rol / who marks, as a role")
    .requiredOption("--from <time>", "vanaf / from: 2026-11-22 10:00")
    .requiredOption("--to <time>", "tot / to")
    .action(async (number: string, options: { by: string; from: string; to: string }) => {
      const { from, to } = parseWindow(options);
      const marked = await (await askBox())("bodycams.mark", {
        number: typed(parseNumber, number),
        by: typed(parseRole, options.by),
        fromMs: from,
        toMs: to,
      });
      print(global().json, marked, () =>
        [
          `${marked.id}  gemarkeerd / marked`,
          `    beelden van toen, nog niet veiliggesteld / footage of then, not held yet: ${marked.footage}`,
          "    een markering houdt niets vast: veiligstellen gebeurt aan het bureau / a mark holds nothing: the desk does",
        ].join("\n"),
      );
    });
  bodycams
    .command("marks")
    .description("gemarkeerde incidenten / marked incidents")
    .action(async () => {
      const known = await (await askBox())("bodycams.marks", {});
      print(global().json, known, () => shownMarks(known));
    });
}

function shownMarks({ marks }: Result<"bodycams.marks">): string {
  const lines = marks.flatMap((one) => [
    `${one.id}  ${one.device}  ${localTime(one.startedAt)} – ${localTime(one.endedAt)}  door / by ${one.by}`,
    `    nog niet veiliggesteld / not held yet: ${one.open}, veiliggesteld / held: ${one.held}`,
    ...(one.dueAt === null
      ? []
      : [`    het eerste weg op / the first gone on ${localTime(one.dueAt)}`]),
  ]);
  return lines.length === 0 ? "niets gemarkeerd / nothing marked" : lines.join("\n");
}
