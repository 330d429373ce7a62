#!/usr/bin/env node
import { userInfo } from "node:os";
import { Command } from "commander";
import { parseDeviceId } from "#base/ids";
import { systemClock } from "#base/system-clock";
import { readConfig } from "../../config/load.ts";
import { asker } from "../control/client.ts";
import { socketPath } from "../places.ts";
import { parseWallTime } from "../trust.ts";
import { addDeskCommands } from "./desk-commands.ts";
import { addLogCommands } from "./log-commands.ts";
import { print, runProgram, stopSignal, typed } from "./program.ts";
import { parseWhen, shownFound, shownStatus } from "./shown.ts";

const program = new Command("bewaarctl")
  .description(
    "Wat mensen typen / what people type: on a box for administrators, `desk` for custodians.",
  )
  .option("-c, --config <file>", "configuration of this box", "/etc/bewaard/bewaard.yaml")
  .option("--json", "als JSON / print results as JSON", false);

const global = (): { config: string; json: boolean } => program.opts();

async function askBox() {
  return asker(socketPath(await readConfig(global().config)), stopSignal());
}

program
  .command("status")
  .description("hoe het met deze kast gaat / how this box is doing")
  .action(async () => {
    const status = await (await askBox())("status", {});
    print(global().json, status, () => shownStatus(status));
  });

program
  .command("find")
  .description("zoek beelden op tijd en camera / find footage by time and camera, gaps included")
  .requiredOption(
    "--from <time>",
    'begin, "2026-11-22 10:00" (Nederlandse tijd / Dutch time) or UTC with Z',
  )
  .requiredOption("--to <time>", "einde / end, same form")
  .option("--camera <number>", "cameranummer / camera number")
  .action(async (options: { from: string; to: string; camera?: string }) => {
    const found = await (await askBox())("find", {
      device: options.camera === undefined ? null : typed(parseDeviceId, options.camera),
      fromMs: parseWhen(options.from),
      toMs: parseWhen(options.to),
    });
    print(global().json, found, () => shownFound(found));
  });

program
  .command("clock")
  .description("de klok van deze kast / the clock of this box")
  .command("confirm")
  .description("say what time it is now; footage is destroyed only while time is trusted")
  .argument("<time>", 'the time now, with its offset: "2026-11-22T17:05+01:00"')
  .action(async (time: string) => {
    const by = userInfo().username;
    const ask = await askBox();
    const { offMs } = await ask("clock.confirm", { timeMs: parseWallTime(time), by });
    print(
      global().json,
      { offMs },
      () => `Time is trusted; this box is ${offMs / 1000} s from what you said.`,
    );
  });

addDeskCommands(program, systemClock, global);
addLogCommands(program, askBox, global);

await runProgram(async () => void (await program.parseAsync()));
