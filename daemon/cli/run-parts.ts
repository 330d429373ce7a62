import { flushCompileCache } from "node:module";
import { systemClock } from "#base/system-clock";
import { together } from "#base/together";
import { readConfiguration } from "../../config/configuration.ts";
import { openEvents } from "../events.ts";
import { openJournal } from "../journal.ts";
import { attend } from "../notify/attend.ts";
import { heedReloads } from "../notify/heed-reloads.ts";
import { openManager } from "../notify/manager.ts";
import { openPartRun } from "../notify/part-run.ts";
import { type ConfigsOf, recorderReload } from "../record/reload-recorder.ts";
import type { runDock } from "../run-dock.ts";
import { hangUps, stopSignal } from "./program.ts";

export type PartName = "core" | "dock" | "record";
type RunPart = typeof runDock;

/** A part is loaded when it runs: a recorder without the rest needs some 5 MB less. */
const PARTS: Readonly<Record<PartName, (by: ConfigsOf) => Promise<RunPart>>> = {
  core: async () => (await import("../main.ts")).runCore,
  dock: async () => (await import("../run-dock.ts")).runDock,
  async record(configs) {
    const { runRecordBy } = await import("../record/run-record.ts");
    return (clock, events, attendant, config, signal) =>
      runRecordBy(clock, events, attendant, config, configs, signal);
  },
};

/** Runs these parts of the box whose configuration is at `path`, until it is stopped. */
export async function runParts(path: string, parts: readonly PartName[]): Promise<void> {
  // First of all: what is begun from here on must not speak to it.
  using manager = openManager(process.env, process.pid);
  const { config } = await readConfiguration(path);
  const signal = stopSignal();
  await using journal = openJournal("info", unitOf(parts), signal);
  const events = openEvents(journal.logger);
  events.started(config.node, parts);
  const recorder = recorderReload(events, config);
  const loaded = await Promise.all(parts.map((part) => PARTS[part](recorder.configs)));
  // Else Node keeps what it compiled (NODE_COMPILE_CACHE) when it ends, and nothing where the power goes.
  flushCompileCache();
  const attending = attend(systemClock, events, manager, parts);
  const runs = loaded.map((run, nth) =>
    openPartRun(
      events,
      attending,
      parts[nth] ?? "",
      (attendant, by, s) => run(systemClock, events, attendant, by, s),
      config,
    ),
  );
  const reloads = runs.map((run, nth) => (parts[nth] === "record" ? recorder : run));
  const read = async () => (await readConfiguration(path)).config;
  await together(signal, [
    ...runs.map((one) => one.run),
    (s) => attending.run(s),
    (s) => heedReloads(events, attending, reloads, read, hangUps(s)),
  ]);
  events.stopped(config.node);
}

/** As the units are called, and what they say on standard error is filed under. */
function unitOf(parts: readonly string[]): string {
  return parts.includes("core") ? "bewaard" : `bewaard-${parts[0]}`;
}
