import { type Argument, Command, type CommanderError, type Option } from "commander";
import { BewaardError } from "#base/errors";
import { printableText } from "#base/printable";
import manifest from "../../package.json" with { type: "json" };
import { tell } from "./tell.ts";

// Commander speaks English only; people in an office read Dutch first.

const TITLES: Readonly<Record<string, string>> = {
  "Usage:": "Gebruik / usage:",
  "Arguments:": "Gegevens / arguments:",
  "Options:": "Opties / options:",
  "Commands:": "Opdrachten / commands:",
};

/** A program whose help and complaints are in two languages. Its commands inherit that. */
export function newProgram(name: string): Command {
  return new Command(name)
    .version(manifest.version, "-V, --version", "toon de versie / show the version")
    .helpOption("-h, --help", "toon deze hulp / show this help")
    .helpCommand("help [command]", "hulp bij een opdracht / help for a command")
    .configureHelp({
      styleTitle: (title) => TITLES[title] ?? title,
      optionDescription: described,
      argumentDescription: described,
    })
    .configureOutput({
      writeOut: (text) => tell(printableText(text)),
      writeErr: (text) => void process.stderr.write(printableText(text)),
      // Told once, by whoever runs the program.
      outputError: () => undefined,
    })
    .exitOverride();
}

function described({ description, argChoices, defaultValue }: Option | Argument): string {
  const more = [
    ...(argChoices === undefined ? [] : [`keuze / choices: ${argChoices.join(", ")}`]),
    ...(isTold(defaultValue) ? [`anders / default: ${String(defaultValue)}`] : []),
  ];
  return more.length === 0 ? description : `${description} (${more.join("; ")})`;
}

function isTold(defaultValue: unknown): boolean {
  return typeof defaultValue === "string" || typeof defaultValue === "number";
}

const COMPLAINTS: Readonly<Record<string, string>> = {
  "commander.unknownOption": "onbekende optie / unknown option",
  "commander.unknownCommand": "onbekende opdracht / unknown command",
  "commander.missingArgument": "er ontbreekt een gegeven / missing argument",
  "commander.optionMissingArgument": "een optie mist haar waarde / option without its value",
  "commander.missingMandatoryOptionValue": "een verplichte optie ontbreekt / missing option",
  "commander.excessArguments": "te veel gegevens / too many arguments",
  "commander.invalidArgument": "dat is geen geldige waarde / not a valid value",
  "commander.conflictingOption": "opties die niet samengaan / options that exclude each other",
};

/** What commander complains of, as a failure of ours. */
export function usageError(error: CommanderError): BewaardError {
  if (error.code === "commander.help") {
    return new BewaardError("USAGE", "noem een opdracht / name a command", { cause: error });
  }
  const [, what = error.message] = /'([^']*)'/s.exec(error.message) ?? [];
  const [, meant] = /Did you mean (?:one of )?(.+)\?/.exec(error.message) ?? [];
  const choices = /Allowed choices are (.+)\.$/.exec(error.message)?.[1];
  const message = [
    `${COMPLAINTS[error.code] ?? "niet begrepen / not understood"}: ${what}`,
    ...(meant === undefined ? [] : [`bedoelt u / did you mean: ${meant}`]),
    ...(choices === undefined ? [] : [`kies uit / choose from: ${choices}`]),
  ].join("\n");
  return new BewaardError("USAGE", message, { cause: error });
}
