import type { Command } from "commander";

/** What bash offers of a program when somebody presses tab: its commands, their options, and words of which one is to be chosen. */
export function bashCompletion(program: Command): string {
  const name = program.name();
  const known = commandsBelow(program, "");
  const deeper = known.flatMap(({ path }) => (path === "" ? [] : [`"${path}"`]));
  const cases = known.map(({ path, command }) => {
    const words = [...new Set([...wordsOf(command), ...flags(program)])];
    return `    "${path}") words="${words.join(" ")}" ;;`;
  });
  return `# bash completion of ${name}, made from its own commands.
_${name}() {
  local path= word words=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
      ${deeper.join(" | ")}) path="$path $word" ;;
    esac
  done
  case "$path" in
${cases.join("\n")}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}")
}
# Names of files where no word fits.
complete -o default -F _${name} ${name}
`;
}

interface Found {
  /** As typed after the program, a space before each. */
  readonly path: string;
  readonly command: Command;
}

function commandsBelow(command: Command, path: string): readonly Found[] {
  return [
    { path, command },
    ...command.commands.flatMap((one) => commandsBelow(one, `${path} ${one.name()}`)),
  ];
}

function wordsOf(command: Command): readonly string[] {
  const names = command.commands.map((one) => one.name());
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  return [...names, ...choices, ...flags(command)];
}

function flags(command: Command): readonly string[] {
  return [...command.options.flatMap(({ long }) => long ?? []), "--help"];
}
