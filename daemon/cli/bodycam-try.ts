import { resolve } from "node:path";
import type { Command } from "commander";
import type { Clock } from "#base/time";
import { print, stopSignal, typed } from "./program.ts";
import { shownTrial, trialForPrograms } from "./shown-try.ts";
import { parseProfile } from "./typed-profile.ts";

interface TryOptions {
  profile?: string;
  usb?: string;
  label?: string;
}

/** `bewaarctl bodycams try`: what a profile would make of a card. Asks no box, and changes nothing. */
export function addBodycamTry(
  bodycams: Command,
  clock: Clock,
  global: () => { json: boolean },
): void {
  bodycams
    .command("try")
    .description(
      "laat zien wat een profiel van een kaart zou maken, of elk dat past; leest alleen; afsluitcode 1 als geen enkel past / show what a profile, or each that matches, would make of a card; only reads; exit code 1 when none matches",
    )
    .argument("<path>", "map waar de kaart aangekoppeld is / folder where the card is mounted")
    .option(
      "--profile <name>",
      "alleen dit profiel, ook als het niet past / this one only, matching or not",
    )
    .option("--usb <ids>", "wat / what `lsusb` zegt / says: 0b6a:1234")
    .option(
      "--label <text>",
      "label van de kaart, van / the card's label, from `lsblk -o NAME,LABEL`",
    )
    .action(async (path: string, { profile, usb, label }: TryOptions) => {
      const { mountedFrom } = await import("../../drivers/bodycam/mounted-from.ts");
      const { tryCard } = await import("../try-card.ts");
      const root = resolve(path);
      const name = profile === undefined ? undefined : typed(parseProfile, profile);
      const said = usb === undefined ? undefined : typed(parseUsb, usb);
      const seen = await mountedFrom(root);
      const told = { usb: said ?? seen.usb, label: label ?? seen.label };
      const trial = await tryCard(clock, root, name, told, stopSignal());
      if (trial.tried.length === 0) process.exitCode = 1;
      print(global().json, trialForPrograms(trial), () => shownTrial(trial));
    });
}

/** @throws RangeError for what is no vendor and product. */
function parseUsb(text: string): string {
  if (/^[0-9a-f]{4}:[0-9a-f]{4}$/i.test(text)) return text.toLowerCase();
  throw new RangeError("fabrikant en product / vendor and product: 0b6a:1234");
}
