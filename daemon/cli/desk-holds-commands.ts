import type { Command } from "commander";
import { BewaardError } from "#base/errors";
import type { Clock } from "#base/time";
import { isoOf } from "#base/time";
import type { DeskHold } from "../desk/list-holds.ts";
import type { Target } from "../desk/targets.ts";
import { print, stopSignal } from "./program.ts";
import { localTime } from "./shown.ts";

interface MediumOptions {
  medium?: string;
  serial?: string;
  segment?: string[];
  confirm?: string;
}

/** `bewaarctl desk holds` and `… medium-destroyed`: how holds stand, and what ends a medium. */
export function addDeskHolds(
  desk: Command,
  clock: Clock,
  folder: () => string,
  global: () => { json: boolean },
  parseTarget: (text: string) => Target,
): void {
  desk
    .command("holds")
    .description(
      "alle veiligstellingen, en of ze van kracht zijn / all holds, and whether in force",
    )
    .option(
      "--set",
      "zet en hef eerst in de kluis wat een kast niet mag / first set and lift in the vault",
      false,
    )
    .action(async ({ set }: { set: boolean }) => {
      const { listDeskHolds, setAllHolds } = await import("../desk/list-holds.ts");
      const { openStation } = await import("../desk/station.ts");
      await using station = await openStation(folder());
      const signal = stopSignal();
      const done = set ? await setAllHolds(station, signal) : null;
      const { holds, unread } = await listDeskHolds(station, signal);
      const told = holds.map((one) => ({ ...one, reviewAt: isoOf(one.reviewAt) }));
      print(global().json, { holds: told, unread, set: done }, () => shownDesk(holds, unread));
    });

  desk
    .command("medium-destroyed")
    .description(
      "verklaar dat een medium vernietigd is; een tweede persoon bevestigt / say that a medium is destroyed; a second person confirms",
    )
    .option("--medium <kind>", "wat het is / what it is, e.g. usb-schijf")
    .option("--serial <text>", "wat erop staat / what is written on it")
    .option("--segment <node/id...>", "alleen deze fragmenten / only what it had of these")
    .option("--confirm <number>", "bevestig de regel van een ander / confirm another's entry")
    .action(async (options: MediumOptions) => {
      const { confirmDestroyed, stateDestroyed } = await import("../desk/medium.ts");
      const { openStation } = await import("../desk/station.ts");
      await using station = await openStation(folder());
      const signal = stopSignal();
      if (options.confirm !== undefined) {
        const stated = await confirmDestroyed(clock, station, numberOf(options.confirm), signal);
        const { medium, serial } = stated;
        print(
          global().json,
          { medium, serial, confirmed: Number(options.confirm) },
          () => `${medium} ${serial}: vernietiging bevestigd / its destruction is confirmed`,
        );
        return;
      }
      const { medium, serial, segment } = options;
      if (medium === undefined || serial === undefined)
        throw new BewaardError("DESK_INPUT", "--medium en --serial, of / or --confirm");
      const segments = segment === undefined ? "all" : segment.map(parseTarget);
      const number = await stateDestroyed(
        clock,
        station,
        { kind: medium, serial },
        segments,
        signal,
      );
      const second = !station.config.demo;
      print(global().json, { number, second }, () =>
        second
          ? `regel ${number}: een ander bevestigt met / another confirms with: bewaarctl desk medium-destroyed --confirm ${number}`
          : `regel ${number}: op een demo volstaat één / entry ${number}: on a demo one will do`,
      );
    });
}

/** @throws BewaardError DESK_INPUT. */
function numberOf(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new BewaardError(
    "DESK_INPUT",
    "--confirm: het nummer van een regel / the number of an entry",
  );
}

const STATES: Readonly<Record<DeskHold["state"], string>> = {
  requested: "AANGEVRAAGD, NOG NIET VEILIG / ASKED, NOT YET SAFE",
  "in force": "van kracht / in force",
  released: "vrijgegeven / released",
};

function shownDesk(holds: readonly DeskHold[], unread: readonly string[]): string {
  const lines = holds.flatMap((one) => [
    `${one.id}  ${STATES[one.state]}`,
    `    incident ${one.incident}, door / by ${one.owner}, herzien / review ${localTime(isoOf(one.reviewAt))}`,
    `    fragmenten / segments: ${one.segments}, van kracht / in force: ${one.inForce}`,
    ...one.secured.map(
      (on) => `    afzonderlijk / separately on ${on.medium} ${on.serial}: ${on.segments}`,
    ),
  ]);
  const missing = unread.map(
    (one) => `logboek niet gelezen / ledger not read: ${one}: niets is zeker / nothing is sure`,
  );
  if (lines.length === 0) return ["niets veiliggesteld / nothing held", ...missing].join("\n");
  return [...lines, ...missing].join("\n");
}
