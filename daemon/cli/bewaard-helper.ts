#!/usr/bin/env node
import { parseArgs } from "node:util";
import { BewaardError } from "#base/errors";
import { printableText } from "#base/printable";
import { systemClock } from "#base/system-clock";
import { putAway, takeUp } from "../helper/card.ts";
import { systemMounts } from "../helper/mounts.ts";
import { carryOutOrders } from "../helper/orders.ts";
import { HELPER_PLACES, type HelperPlaces } from "../helper/places.ts";
import { diskName } from "../orders/parts.ts";
import { ERROR_SAYS } from "./error-says.ts";

// What runs as root: started by systemd, reads no configuration and no environment, loads no library but zod.

const USAGE = `bewaard-helper card <name> | gone <name> | orders
  card    koppel een kaart aan en zeg wat het is / mount a card and tell what it is (udev: sdb1)
  gone    koppel haar af / take it away
  orders  voer uit wat core getekend heeft / carry out what core has signed
Mappen, voor proeven / folders, for tests:
  ${Object.entries(HELPER_PLACES)
    .map(([name, path]) => `--${name} (${path})`)
    .join("\n  ")}`;

const FAILED = 1;
const MISUSED = 2;

async function main(argv: readonly string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: Object.fromEntries(
      Object.keys(HELPER_PLACES).map((name) => [name, { type: "string" as const }]),
    ),
  });
  const places: HelperPlaces = { ...HELPER_PLACES, ...values };
  const mounts = systemMounts(places.dev);
  const [verb, name = ""] = positionals;
  if (verb === "card" && isDisk(name)) {
    const record = await takeUp(systemClock, mounts, places, name);
    const { number, refused, slot } = record ?? { number: null, refused: "no card", slot: "" };
    say(`card ${name} ${slot}: ${number ?? refused}`);
  } else if (verb === "gone" && isDisk(name)) {
    await putAway(mounts, places, name);
    say(`gone ${name}`);
  } else if (verb === "orders" && positionals.length === 1) {
    await carryOutOrders(systemClock, mounts, places, (nonce, report) => {
      const { outcome, why, removed, kept } = report ?? { outcome: "over", removed: [], kept: [] };
      say(`order ${nonce}: ${outcome} ${why ?? ""} -${removed.length} =${kept.length}`);
    });
  } else {
    say(USAGE);
    process.exitCode = MISUSED;
  }
}

function isDisk(name: string): boolean {
  return diskName.safeParse(name).success;
}

function say(line: string): void {
  process.stdout.write(`${printableText(line)}\n`);
}

if (import.meta.main) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    // Anything else is a bug, or a disk of this machine, and ends with its stack.
    if (!(error instanceof BewaardError)) throw error;
    process.stderr.write(
      printableText(`${error.code}: ${ERROR_SAYS[error.code]}\n${error.message}\n`),
    );
    process.exitCode = FAILED;
  }
}
