import type { Command } from "commander";
import { bold, entry, head, plain } from "./roff.ts";

/** The manual page of a program, from the commands that it has: what it is given is what `--help` is made from. */
export function programPage(
  program: Command,
  section: number,
  day: string,
  version: string,
): string {
  const commands = program.commands.flatMap((one) => withCommands(one, program.name()));
  return `${[
    head(program.name(), section, day, version),
    `${plain(program.name())} \\- ${plain(english(program.description()))}`,
    ".SH SYNOPSIS",
    `${bold(program.name())} ${plain(program.usage())}`,
    ".SH DESCRIPTION",
    plain(program.description()),
    ".SH OPTIONS",
    ...options(program),
    ".SH COMMANDS",
    ...commands,
    ".SH EXIT STATUS",
    "0: done and well; 1: it failed, or something is not well; 2: not understood, or it could not be found out.",
    ".SH FILES",
    entry(bold("/etc/bewaard/bewaard.yaml"), "The configuration of this box."),
    entry(
      bold("/usr/share/doc/bewaard"),
      "install.md, operations.md, troubleshooting.md and more.",
    ),
    ".SH SEE ALSO",
    "\\fBbewaard\\fP(8), \\fBbewaarctl\\fP(1), \\fBbewaard.yaml\\fP(5)",
  ].join("\n")}\n`;
}

function withCommands(command: Command, above: string): readonly string[] {
  const name = `${above} ${command.name()}`;
  const below = command.commands.flatMap((one) => withCommands(one, name));
  // What only holds others is told by those.
  if (below.length > 0) return below;
  const help = command.createHelp();
  const given = command.registeredArguments.map((one) =>
    entry(`\\fI${plain(one.name())}\\fP`, help.argumentDescription(one)),
  );
  const usage = command.usage().replace("[options]", "").trim();
  return [
    `.SS ${plain(`${name} ${usage}`.trim())}`,
    plain(command.description()),
    ...given,
    ...options(command),
  ];
}

function options(command: Command): readonly string[] {
  const help = command.createHelp();
  return command.options
    .filter(({ hidden }) => !hidden)
    .map((one) => entry(bold(one.flags), help.optionDescription(one)));
}

/** People in an office read Dutch first; who lists manual pages searches them in English. */
function english(description: string): string {
  return description
    .slice(description.lastIndexOf(" / ") + 1)
    .replace(/^\/ /, "")
    .trim();
}
