import { resolve } from "node:path";
import type { Command } from "commander";
import { BewaardError } from "#base/errors";
import { systemClock } from "#base/system-clock";
import { readConfig } from "../../config/load.ts";
import type { AnswersFile } from "../setup/answers-file.ts";
import { dashed } from "../setup/gather.ts";
import type { Given } from "../setup/given.ts";
import { QUESTIONS } from "../setup/questions.ts";
import { print, stopSignal } from "./program.ts";

type Options = Readonly<Record<string, string | boolean | undefined>>;

const STATE = "/var/lib/bewaard";

/** `bewaard setup`: the first run of a box, guided where somebody or a file answers. */
export function addSetupCommand(
  program: Command,
  global: () => { config: string; json: boolean },
): void {
  const setup = program
    .command("setup")
    .description(
      "richt een nieuwe kast in: configuratie, spool, kluis, sleutel, en dan check; herhalen kan geen kwaad / set up a new box: configuration, spool, vault, node key, and then check; harmless to repeat",
    )
    .option(
      "--medium",
      "alleen: maak de schijf die er nu is het afzonderlijke medium / only: make the disk that is here now the separate medium",
      false,
    )
    .option(
      "--parts",
      "alleen: geef dock en opnemer wat van hen is, van een kast die één gebruiker was / only: give dock and recorder what is theirs, of a box that was one user",
      false,
    )
    .option(
      "--tenant <name>",
      "van een huurder: eigen gebruiker, mappen en units / of a tenant: user, folders and units of its own",
    )
    .option("--answers <file>", "antwoorden, in plaats van vragen / answers, in place of questions")
    .option(
      "--replace",
      "schrijf de configuratie opnieuw / write the configuration anew where there is one",
      false,
    )
    .option(
      "--state <folder>",
      `catalog, sleutel en sockets / catalog, node key and sockets (${STATE})`,
    )
    .option(
      "--discover <interface>",
      "zoek camera's langs deze netwerkkaart / look for cameras by this network interface",
    )
    .option("--discover-at <address>", "vraag alleen dit adres / ask this address only")
    .option("--recipients <file>", "recipients.txt van het bureau / from the desk")
    .option("--signers <file>", "desk.signers van het bureau / from the desk");
  for (const { key, nl, en } of QUESTIONS)
    setup.option(`--${dashed(key)} <answer>`, `${nl} / ${en}`);
  setup.action(async (options: Options) => {
    // What is above a folder of a box is for its users to pass through, also where root's own files are nobody's business.
    if (process.getuid?.() === 0) process.umask(0o022);
    if (options["medium"] === true) return prepareTheMedium(global());
    if (options["parts"] === true) return giveTheParts(options["tenant"], global());
    const signal = stopSignal();
    if (process.getuid?.() === 0) {
      const { OPENED, removeLeft } = await import("../setup/opened-folder.ts");
      await removeLeft(OPENED);
    }
    const answered = Object.entries(options).some(
      ([name, value]) => name !== "medium" && value !== false,
    );
    const person = !global().json && process.stdin.isTTY && process.stdout.isTTY;
    // Root makes nothing by itself in what another user may change: it would be root's, or wherever a link leads.
    const others = !(answered || person) && (await isAnothers(global().config));
    if (answered || person || others) return guide(options, person, global(), signal);
    const { setupBox } = await import("../setup.ts");
    const verifier = await setupBox(await readConfig(global().config));
    print(
      global().json,
      { verifier },
      () =>
        `Publieke sleutel van deze kast, voor het bureau / public key of this box, for the desk:\n${verifier}`,
    );
  });
}

/** Whether root is asked to set up what is another user's already. */
async function isAnothers(path: string): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  const { ownerOf } = await import("../setup/own-files.ts");
  return (await ownerOf((await readConfig(path)).state)) !== undefined;
}

async function prepareTheMedium({ config, json }: { config: string; json: boolean }) {
  const { prepareMedium } = await import("../setup.ts");
  const made = await prepareMedium(await readConfig(config));
  print(json, made, () => `${made.medium} ${made.serial}: ${made.directory}`);
}

async function giveTheParts(
  named: unknown,
  { config: path, json }: { config: string; json: boolean },
) {
  const { giveParts } = await import("../setup/give-parts.ts");
  const { ownerOf } = await import("../setup/own-files.ts");
  const { partUsers } = await import("../setup/part-users.ts");
  if (process.getuid?.() !== 0)
    throw new BewaardError("USAGE", "--parts: alleen voor root / only for root");
  const { makeTenant, parseTenant, tenantConfiguration } = await import("../setup/tenant.ts");
  const tenant = typeof named === "string" ? await makeTenant(parseTenant(named)) : undefined;
  const [user, at] = tenant
    ? [`bewaard-${tenant.name}`, tenantConfiguration(tenant.name)]
    : ["bewaard", path];
  const config = await readConfig(at);
  const { isServed } = await import("../setup/secrets-of-box.ts");
  const { OPENED, onlySetup } = await import("../setup/opened-folder.ts");
  await using _only = isServed(config, user) ? await onlySetup(OPENED, user) : undefined;
  const [core, parts] = [await ownerOf(config.state), await partUsers(user)];
  const given = core !== undefined && parts !== undefined && (await giveParts(config, core, parts));
  print(json, { given }, () => (given ? "gegeven / given" : "niets te geven / nothing to give"));
}

async function guide(
  options: Options,
  atTerminal: boolean,
  { config, json }: { config: string; json: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { guidedSetup } = await import("../setup/guided.ts");
  const { lookInSlotsOf } = await import("../pairing/look.ts");
  const { readAnswers } = await import("../setup/answers-file.ts");
  const { openTerminal } = await import("../setup/terminal.ts");
  const { answers, tenant: named } = options;
  const { makeTenant, parseTenant, tenantConfiguration, tenantState } = await import(
    "../setup/tenant.ts"
  );
  const tenant = typeof named === "string" ? parseTenant(named) : undefined;
  const file = typeof answers === "string" ? await readAnswers(answers) : {};
  const say = (line: string): void => {
    if (!json) print(false, line, () => line);
  };
  // Who named a file of answers is not asked.
  const asked = atTerminal && answers === undefined;
  using person = asked ? openTerminal(process.stdin, process.stdout, signal) : undefined;
  const report = await guidedSetup(
    tenant === undefined ? resolve(config) : tenantConfiguration(tenant),
    {
      ...givenBy(file, options, tenant === undefined ? STATE : tenantState(tenant)),
      tenant: tenant === undefined ? undefined : await makeTenant(tenant),
    },
    person,
    lookInSlotsOf(systemClock),
    json,
    say,
    signal,
  );
  if (json) {
    const { vault, camera, found } = report;
    const [tried, tested, discovered] = [vault, camera, found].map(
      (one): unknown => one && JSON.parse(one.out),
    );
    print(true, { ...report, vault: tried, camera: tested, found: discovered }, () => "");
  }
  if (!report.done) process.exitCode = 1;
}

/** What is typed goes before what is in the file. */
function givenBy(file: AnswersFile, options: Options, state: string): Omit<Given, "tenant"> {
  const said = (key: string): string | undefined => {
    const typed = options[camel(key)];
    if (typeof typed === "string") return typed;
    const written: unknown = Reflect.get(file, key);
    return typeof written === "string" ? written : undefined;
  };
  const answers = QUESTIONS.flatMap(({ key }) => {
    const answer = said(key);
    return answer === undefined ? [] : [[key, answer] as const];
  });
  const { bodycams, cameras, secured } = file;
  return {
    answers: Object.fromEntries(answers),
    standing: {
      state: said("state") ?? state,
      demo: file.demo ?? false,
      unasked: { bodycams, cameras, secured },
    },
    desk: { recipients: said("recipients"), signers: said("signers") },
    discovery: { by: said("discover"), at: said("discover_at") },
    secrets: file.secrets ?? {},
    replaceAt: options["replace"] === true ? systemClock.now() : undefined,
  };
}

/** As commander names an option. */
function camel(key: string): string {
  return key.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
