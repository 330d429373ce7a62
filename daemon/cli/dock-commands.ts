import type { Command } from "commander";
import type { Ask } from "../control/client.ts";
import type { Result } from "../control/protocol.ts";
import { print } from "./program.ts";
import { shownLooks } from "./shown-looks.ts";

/** `bewaarctl docks …`: what is in the slots. */
export function addDockCommands(
  program: Command,
  askBox: () => Promise<Ask>,
  global: () => { json: boolean },
): void {
  program
    .command("docks")
    .description("de slots waarin bodycams staan / the slots that bodycams are put in")
    .command("list")
    .description("wat er in elk slot staat, en wie dat is / what is in each slot, and which it is")
    .action(async () => {
      const docks = await (await askBox())("docks", {});
      print(global().json, docks, () => shownDocks(docks));
    });
}

type Device = Result<"docks">["devices"][number];

function shownDocks({ devices }: Result<"docks">): string {
  if (devices.length === 0) return "niets te zien in de slots / nothing to be seen in the slots";
  return devices
    .map((one) => [`${one.slot}  ${shownLooks(one)}`, `    ${shownState(one)}`].join("\n"))
    .join("\n");
}

const UNREAD: Readonly<Record<NonNullable<Device["unread"]>, string>> = {
  "not-looked": "nog niet bekeken / not looked at yet",
  unpaired: "niet gekoppeld, wordt niet gelezen / not paired, not read",
  "same-identity":
    "niet van een andere te onderscheiden, wordt niet gelezen / looks like another, not read",
  "volume-changed": "andere kaart of geformatteerd, wordt niet gelezen / another card, not read",
};

const NOT_READ = "niet gelezen, haal haar eruit en zet haar terug / not read, dock it again";

function shownState({ number, unread, refused }: Device): string {
  const who = number === null ? [] : [number];
  const why = unread === null ? [] : [UNREAD[unread]];
  const isTold = refused === null || refused === "unpaired" || refused === "same-identity";
  const more = isTold && (unread !== null || refused === null) ? [] : [`${NOT_READ}: ${refused}`];
  return [...who, ...why, ...more].join(": ");
}
