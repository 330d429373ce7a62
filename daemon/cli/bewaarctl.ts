#!/usr/bin/env node
import { userInfo } from "node:os";
import { systemClock } from "#base/system-clock";
import { readConfig } from "../../config/load.ts";
import { asker } from "../control/client.ts";
import { socketPath } from "../places.ts";
import { addBodycamCommands } from "./bodycam-commands.ts";
import { addCameraCommands } from "./camera-commands.ts";
import { newProgram } from "./command.ts";
import { addDeskCommands } from "./desk-commands.ts";
import { addDockCommands } from "./dock-commands.ts";
import { addDutyCommands } from "./duty-commands.ts";
import { addHoldCommands } from "./hold-commands.ts";
import { addLogCommands } from "./log-commands.ts";
import { print, runProgram, stopSignal, typed } from "./program.ts";
import { shownStatus } from "./shown.ts";
import { foundForPrograms, shownFound } from "./shown-found.ts";
import { parseNumber } from "./typed-number.ts";
import { parseWindow } from "./window.ts";

interface FindOptions {
  date?: string;
  from?: string;
  to?: string;
  camera?: string;
  place?: string;
  limit: string;
  after?: string;
}

/** What people type: on a box for administrators, `desk` for custodians. */
export const program = newProgram("bewaarctl")
  .description("wat mensen typen: op een kast, en op een bureau / what people type")
  .option(
    "-c, --config <file>",
    "configuratie van deze kast / configuration of this box",
    "/etc/bewaard/bewaard.yaml",
  )
  .option("--json", "toon de uitkomst als JSON / print the result as JSON", false);

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
  .description(
    "zoek beelden op dag, tijd, camera en plek; met de gaten / find footage by day, time, camera, place; gaps included",
  )
  .option("--date <day>", "hele dag / whole day: 2026-11-22")
  .option("--from <time>", 'begin: 10:00 met / with --date, of / or "2026-11-22 10:00"')
  .option("--to <time>", 'einde / end: 12:00, of / or "2026-11-22 12:00"')
  .option("--camera <number>", "cameranummer / camera number")
  .option("--place <text>", "deel van een plek / part of a place: leyweg")
  .option("--limit <number>", "hoogstens zoveel / at most so many", "200")
  .option("--after <mark>", "vervolg van een vorige lijst / go on after an earlier list")
  .action(async (options: FindOptions) => {
    const window = parseWindow(options);
    const { camera, place, after } = options;
    const found = await (await askBox())("find", {
      device: camera === undefined ? null : typed(parseNumber, camera),
      fromMs: window.from,
      toMs: window.to,
      limit: typed(parseLimit, options.limit),
      ...(place === undefined ? {} : { place: typed(parsePlace, place) }),
      ...(after === undefined ? {} : { after }),
    });
    const wanted = { camera, place };
    const { json } = global();
    print(json, foundForPrograms(found, window, wanted), () => shownFound(found, window, wanted));
  });

program
  .command("clock")
  .description("de klok van deze kast / the clock of this box")
  .command("confirm")
  .description(
    "zeg hoe laat het is; alleen dan wordt er vernietigd / say what time it is: footage is destroyed only then",
  )
  .argument(
    "<time>",
    'de tijd nu, met het verschil met UTC / the time now, with its offset: "2026-11-22T17:05+01:00"',
  )
  .action(async (time: string) => {
    const { parseWallTime } = await import("../trust.ts");
    const by = userInfo().username;
    const ask = await askBox();
    const { offMs } = await ask("clock.confirm", { timeMs: parseWallTime(time), by });
    const off = offMs / 1000;
    print(global().json, { offMs }, () =>
      [
        "De tijd wordt vertrouwd / time is trusted.",
        `Deze kast scheelt ${off} s met wat u zei / this box is ${off} s from what you said.`,
      ].join("\n"),
    );
  });

addBodycamCommands(program, systemClock, askBox, global);
addCameraCommands(program, systemClock, global);
addDeskCommands(program, systemClock, global);
addDockCommands(program, askBox, global);
addDutyCommands(program, askBox, global);
addHoldCommands(program, askBox, global);
addLogCommands(program, askBox, global);

/** @throws RangeError for what is no whole number from 1 to 10,000. */
function parseLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 10_000) return limit;
  throw new RangeError("1 tot / to 10000");
}

/** @throws RangeError for a place nobody could have. */
function parsePlace(text: string): string {
  if (text.trim() !== "" && text.length <= 100) return text.trim();
  throw new RangeError("1 tot / to 100 tekens / characters");
}

if (import.meta.main) await runProgram(program);
