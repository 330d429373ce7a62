#!/usr/bin/env node
import { randomUUID } from "node:crypto";
import { Argument, Option } from "commander";
import { systemClock } from "#base/system-clock";
import { readConfig } from "../../config/load.ts";
import { addBackupCommands } from "./backup-commands.ts";
import { newProgram } from "./command.ts";
import { addConfigCommands } from "./config-commands.ts";
import { checked, print, runProgram, stopSignal, typed, wholeNumber } from "./program.ts";
import type { PartName } from "./run-parts.ts";
import { addSetupCommand } from "./setup-command.ts";
import { addVaultCommands } from "./vault-commands.ts";

const DEFAULT_CONFIG = "/etc/bewaard/bewaard.yaml";

/** The daemon, and what administrators of a box do with it. */
export const program = newProgram("bewaard")
  .description(
    "bewaart beelden verzegeld, hoogstens 28 dagen, en bewijst het / keeps footage sealed, for at most 28 days, and proves it",
  )
  .option(
    "-c, --config <file>",
    "configuratie van deze kast / configuration of this box",
    DEFAULT_CONFIG,
  )
  .option("--json", "toon de uitkomst als JSON / print the result as JSON", false);

const global = (): { config: string; json: boolean } => program.opts();

const PART_NAMES = ["core", "dock", "record"] as const satisfies readonly PartName[];

program
  .command("run")
  .description("laat de kast draaien, of delen ervan / run the box, or parts of it, until stopped")
  .addArgument(
    new Argument(
      "[part...]",
      "alle delen als er geen staat / all parts when none is named",
    ).choices(PART_NAMES),
  )
  .action(async (named: readonly PartName[]) => {
    // All that a box says and how systemd hears of it, which no other command needs.
    const { runParts } = await import("./run-parts.ts");
    await runParts(global().config, named.length > 0 ? [...new Set(named)] : PART_NAMES);
  });

addSetupCommand(program, global);

program
  .command("check")
  .description("is deze machine geschikt? / is this machine fit to keep footage?")
  .option(
    "--vault",
    "beproef de kluis: doet zij wat haar zekerheid vraagt? / try the vault: does it do what its level needs?",
    false,
  )
  .action(async ({ vault }: { vault: boolean }) => {
    if (vault) return checkTheVault();
    const { checkBox } = await import("../fitness/check-box.ts");
    const { shownFitness } = await import("../fitness/shown-fitness.ts");
    const checks = await checkBox(systemClock, global().config, stopSignal());
    const fit = checks.every(({ verdict }) => verdict !== "not fit");
    print(global().json, { fit, checks }, () => shownFitness(checks));
    if (!fit) process.exitCode = 1;
  });

async function checkTheVault(): Promise<void> {
  const { checkVault } = await import("../fitness/check-vault.ts");
  const { shownVault } = await import("../fitness/bucket-shown.ts");
  const name = randomUUID().slice(0, 8);
  const report = await checkVault(systemClock, global().config, name, stopSignal());
  print(global().json, report, () => shownVault(report));
  if (!report.fit) process.exitCode = 1;
}

program
  .command("verify")
  .description(
    "vergelijk alles met de invarianten; afsluitcode 1: iets klopt niet, 2: niet na te gaan / compare everything kept with the invariants; exit code 1 when something is not so, 2 when it could not be checked",
  )
  .addOption(
    new Option("--depth <depth>", "hoeveel te lezen / how much to read")
      .choices(["rows", "sizes", "hashes"])
      .default("sizes"),
  )
  .action(async ({ depth }: { depth: "rows" | "sizes" | "hashes" }) => {
    const { shownReport, verifyBox } = await import("../verify.ts");
    const { openProgress } = await import("./progress.ts");
    const signal = stopSignal();
    const report = await checked(signal, global().json, async () => {
      const config = await readConfig(global().config);
      const progress = openProgress("nagekeken / verified", 100);
      const watch = (done: number, total: number): void =>
        progress.update(Math.floor((100 * done) / total));
      try {
        return await verifyBox(systemClock, config, depth, watch, signal);
      } finally {
        progress.end();
      }
    });
    if (!report) return;
    print(global().json, report, () => shownReport(report));
    if (report.findings.length > 0) process.exitCode = 1;
  });

program
  .command("rebuild")
  .description(
    "maak de catalogus van een verloren kast opnieuw / make the catalog of a lost box again",
  )
  .requiredOption(
    "--from-vault",
    "uit logboek en beelden in de kluis / from ledger and footage there",
  )
  .option(
    "--verifier <key>",
    "publieke sleutel van de verloren kast, als deze een nieuwe heeft / public key of the lost box, where this one has a new one",
  )
  .option(
    "--at-least <entries>",
    "zoveel regels had het logboek zeker / its ledger had at least so many entries",
    "0",
  )
  .action(async ({ verifier, atLeast }: { verifier?: string; atLeast: string }) => {
    const { rebuildBox } = await import("../rebuild.ts");
    const { shownRebuild } = await import("./shown-rebuild.ts");
    const config = await readConfig(global().config);
    const known = { verifier, atLeast: typed(wholeNumber, atLeast) };
    const report = await rebuildBox(systemClock, config, known, stopSignal());
    print(global().json, report, () => shownRebuild(report));
  });

addBackupCommands(program, global);
addConfigCommands(program, systemClock, global);
addVaultCommands(program, global);

interface DemoOptions {
  readonly keep: boolean;
  readonly vault?: string;
  readonly credential?: string;
}

program
  .command("demo")
  .description(
    "toon het hele leven van beelden, in een map die weer verdwijnt / show the whole life of footage, in a folder that is removed again",
  )
  .option("--keep", "laat de map staan / keep the folder", false)
  .option(
    "--vault <address>",
    "een lege emmer / an empty bucket: s3://<bucket>?endpoint=https://…&region=…&level=locked",
  )
  .option("--credential <file>", "wat die emmer vraagt / what that bucket asks for")
  .action(async ({ keep, vault, credential }: DemoOptions) => {
    const { demo } = await import("../demo/demo.ts");
    const { givenBucket } = await import("../demo/given-bucket.ts");
    await demo(keep, await givenBucket(vault, credential), stopSignal());
  });

if (import.meta.main) await runProgram(program);
