#!/usr/bin/env node
import { Argument, Command, Option } from "commander";
import { systemClock } from "#base/system-clock";
import { together } from "#base/together";
import { readConfig } from "../../config/load.ts";
import { openEvents } from "../events.ts";
import { journalLogger } from "../journal.ts";
import { runCore, runDock } from "../main.ts";
import { checked, print, runProgram, stopSignal } from "./program.ts";

const DEFAULT_CONFIG = "/etc/bewaard/bewaard.yaml";

const program = new Command("bewaard")
  .description(
    "Keeps footage sealed, for at most 28 days, and proves it. For administrators of a box.",
  )
  .option("-c, --config <file>", "configuration of this box", DEFAULT_CONFIG)
  .option("--json", "print results as JSON", false);

const global = (): { config: string; json: boolean } => program.opts();

program
  .command("run")
  .description("run the box, or one part of it, until stopped")
  .addArgument(new Argument("[part]", "all parts when not named").choices(["core", "dock"]))
  .action(async (part?: "core" | "dock") => {
    const config = await readConfig(global().config);
    const events = openEvents(journalLogger("info"));
    const roles = part ? [part] : (["core", "dock"] as const);
    const signal = stopSignal();
    events.started(config.node, roles);
    const run = { core: runCore, dock: runDock };
    await together(
      signal,
      roles.map((role) => (s: AbortSignal) => run[role](systemClock, events, config, s)),
    );
    events.stopped(config.node);
  });

program
  .command("setup")
  .description("prepare spool, vault and node key of a new box; harmless to repeat")
  .action(async () => {
    const { setupBox } = await import("../setup.ts");
    const verifier = await setupBox(await readConfig(global().config));
    print(global().json, { verifier }, () => `Public key of this box, for the desk:\n${verifier}`);
  });

program
  .command("check")
  .description("say whether this machine is fit to keep footage")
  .action(async () => {
    const { checkBox, shownFitness } = await import("../fitness.ts");
    const fitness = await checkBox(systemClock, global().config, stopSignal());
    print(global().json, fitness, () => shownFitness(fitness));
    if (fitness.some(({ fit }) => !fit)) process.exitCode = 1;
  });

program
  .command("verify")
  .description(
    "compare everything kept with the invariants; exit code 1 when something is not so, 2 when it could not be checked",
  )
  .addOption(
    new Option("--depth <depth>", "how much to read")
      .choices(["rows", "sizes", "hashes"])
      .default("sizes"),
  )
  .action(async ({ depth }: { depth: "rows" | "sizes" | "hashes" }) => {
    const { shownReport, verifyBox } = await import("../verify.ts");
    const { openProgress } = await import("./progress.ts");
    const signal = stopSignal();
    const report = await checked(signal, async () => {
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
  .command("demo")
  .description("show the whole life of footage on this machine, in a folder that is removed again")
  .option("--keep", "keep the folder", false)
  .action(async ({ keep }: { keep: boolean }) => {
    const { demo } = await import("../demo/demo.ts");
    await demo(keep, stopSignal());
  });

await runProgram(async () => void (await program.parseAsync()));
