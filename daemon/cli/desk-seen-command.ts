import type { Command } from "commander";
import type { Clock } from "#base/time";
import type { WrittenSeen } from "../desk/write-seen.ts";
import { print, stopSignal } from "./program.ts";

/** `bewaarctl desk seen`: tells all boxes which files of cameras one of them has. */
export function addSeen(
  desk: Command,
  clock: Clock,
  folder: () => string,
  global: () => { json: boolean },
): void {
  desk
    .command("seen")
    .description(
      "schrijf voor alle kasten op welke bestanden van camera's er al zijn; eens per dag / list for all boxes which files of cameras they have; once a day",
    )
    .action(async () => {
      const { openStation } = await import("../desk/station.ts");
      const { writeSeen } = await import("../desk/write-seen.ts");
      await using station = await openStation(folder());
      const written = await writeSeen(clock, station, stopSignal());
      print(global().json, written, () => shownSeen(written));
    });
}

function shownSeen({ day, files, leftOut, unread }: WrittenSeen): string {
  return [
    `${day}: ${files} bestanden / files`,
    ...(leftOut > 0
      ? [`${leftOut} pasten er niet bij; een kast neemt ze nog eens / did not fit: taken once more`]
      : []),
    ...unread.map(
      ({ node, code }) => `logboek van ${node} niet gelezen / its ledger was not read: ${code}`,
    ),
  ].join("\n");
}
