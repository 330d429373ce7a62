import { resolve } from "node:path";
import { Argument, type Command } from "commander";
import { stringify } from "yaml";
import { BewaardError } from "#base/errors";
import type { Clock } from "#base/time";
import { findMistakes, type Rules, readConfiguration } from "../../config/configuration.ts";
import { effective } from "../../config/effective.ts";
import { readText } from "../../config/load.ts";
import { shownMistakes } from "../../config/mistake.ts";
import type { Config } from "../../config/schema.ts";
import { type FileKind, jsonSchema, SCHEMAS } from "../../config/shape.ts";
import { parseRecipientBook } from "../../storage/seal/recipients.ts";
import { requireInForce } from "../accept-configuration.ts";
import { print } from "./program.ts";
import { tell } from "./tell.ts";

/** `bewaard config …`: what a site decided, whether it can be read, and how editors can know. */
export function addConfigCommands(
  program: Command,
  clock: Clock,
  global: () => { config: string; json: boolean },
): void {
  const config = program
    .command("config")
    .description(
      "de configuratie: nakijken, tonen wat geldt / the configuration: check it, show what holds, print its schema",
    );
  addCheck(config, clock, global);
  addShow(config, global);
  config
    .command("schema")
    .description("JSON-schema van een bestand, voor editors / JSON Schema of a file, for editors")
    .addArgument(
      new Argument("[kind]", "welk bestand / which file")
        .choices(Object.keys(SCHEMAS))
        .default("box"),
    )
    .action((kind: FileKind) => {
      tell(`${JSON.stringify(jsonSchema(kind), null, 2)}\n`);
    });
}

function addCheck(
  config: Command,
  clock: Clock,
  global: () => { config: string; json: boolean },
): void {
  config
    .command("check")
    .description(
      "noem elke fout in de configuratie en de bestanden die ze noemt; afsluitcode 0 of 1 / name every mistake in the configuration and the files it names; exit code 0 or 1",
    )
    .argument("[file]", "een ander bestand dan --config zegt / another file than --config says")
    .action(async (file?: string) => {
      const path = resolve(file ?? global().config);
      const mistakes = await findMistakes(path);
      if (mistakes.length > 0) {
        print(global().json, { mistakes }, () => shownMistakes(mistakes));
        process.exitCode = 1;
        return;
      }
      const { config: box, rules } = await readConfiguration(path);
      requireInForce(box, rules, clock.now());
      await checkRecipients(box);
      print(global().json, { mistakes }, () => `${path}: no mistakes; ${inShort(rules)}`);
    });
}

/** The book comes from the desk, after the box was set up: not yet there is no mistake here. */
async function checkRecipients({ recipients }: Config): Promise<void> {
  try {
    parseRecipientBook(await readText(recipients));
  } catch (error) {
    if (!(error instanceof BewaardError) || error.code !== "CONFIG_MISSING") throw error;
  }
}

function addShow(config: Command, global: () => { config: string; json: boolean }): void {
  config
    .command("show")
    .description(
      "toon alles wat hier geldt, met de annex over het beleid / show all that holds here: defaults filled in, the annex laid over the policy",
    )
    .action(async () => {
      const { config: box, rules } = await readConfiguration(resolve(global().config));
      const shown = effective(box, rules);
      print(global().json, shown, () => `# ${inShort(rules)}\n${stringify(shown)}`.trimEnd());
    });
}

function inShort({ policy, annex }: Rules): string {
  const tenant = annex === undefined ? "" : `, tenant ${annex.tenant}`;
  const own = policy.own_regime ? ", A REGIME OF ITS OWN" : "";
  return `${policy.name}${tenant}${own}`;
}
