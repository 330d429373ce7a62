import type { Command } from "commander";
import { systemClock } from "#base/system-clock";
import type { Ask } from "../control/client.ts";
import type { SlotNews } from "../control/dock-questions.ts";
import type { Result } from "../control/protocol.ts";
import { print, stopSignal } from "./program.ts";
import { shownLooks } from "./shown-looks.ts";
import { slotSays, whySays } from "./shown-slots.ts";
import { tell } from "./tell.ts";
import { barScreen, jsonScreen, lineScreen, watchDocks } from "./watch-docks.ts";

/** `bewaarctl docks …`: what is in the slots. */
export function addDockCommands(
  program: Command,
  askBox: () => Promise<Ask>,
  global: () => { json: boolean },
): void {
  const docks = program
    .command("docks")
    .description("de slots waarin bodycams staan / the slots that bodycams are put in");
  addWatch(docks, askBox, global);
  docks
    .command("list")
    .description("wat er in elk slot staat, en wie dat is / what is in each slot, and which it is")
    .action(async () => {
      const found = await (await askBox())("docks", {});
      print(global().json, found, () => shownDocks(found));
    });
}

function addWatch(
  docks: Command,
  askBox: () => Promise<Ask>,
  global: () => { json: boolean },
): void {
  docks
    .command("watch")
    .description(
      "kijk mee: hoe ver elke camera is, en welke het eerst mee mag / look on: how far each camera is, and which may go first",
    )
    .action(async () => {
      const screen = global().json
        ? jsonScreen(tell)
        : process.stdout.isTTY
          ? barScreen(process.stdout)
          : lineScreen(tell);
      await watchDocks(systemClock, await askBox(), screen, stopSignal());
    });
}

type Device = Result<"docks">["devices"][number];

function shownDocks({ devices, slots }: Result<"docks">): string {
  if (devices.length === 0) return "niets te zien in de slots / nothing to be seen in the slots";
  return devices
    .map((one) => [`${one.slot}  ${shownLooks(one)}`, `    ${shownState(one, slots)}`].join("\n"))
    .join("\n");
}

const UNREAD: Readonly<Record<NonNullable<Device["unread"]>, string>> = {
  "no-files": "toont geen bestanden / shows no files",
  "not-looked": "nog niet bekeken / not looked at yet",
  unpaired: "niet gekoppeld, wordt niet gelezen / not paired, not read",
  "same-identity":
    "niet van een andere te onderscheiden, wordt niet gelezen / looks like another, not read",
  "volume-changed": "andere kaart of geformatteerd, wordt niet gelezen / another card, not read",
};

/** Paired, and the root helper has not looked again since. */
const SOON =
  "wordt zo gelezen; blijft dit staan, zet haar er opnieuw in / read in a moment; if this stays, dock it again";

function shownState({ slot, number, unread, refused }: Device, slots: readonly SlotNews[]): string {
  const who = number === null ? [] : [number];
  const why = unread === null ? [] : [UNREAD[unread]];
  const told = [...why, ...refusedSays(unread, refused)];
  // Core knows it and the helper mounted it: why it still fails, only the dock knows.
  const failed = slots.find((one) => one.slot === slot && one.state === "failed");
  return [...who, ...told, ...(told.length === 0 && failed ? [slotSays(failed)] : [])].join(": ");
}

function refusedSays(unread: Device["unread"], refused: Device["refused"]): readonly string[] {
  if (refused === null) return [];
  if (refused !== "unpaired" && refused !== "same-identity")
    return [`niet gelezen / not read: ${whySays(refused)}`];
  // What it is refused for is told already, unless core knows better by now.
  return unread === null ? [SOON] : [];
}
