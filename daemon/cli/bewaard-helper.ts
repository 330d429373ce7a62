#!/usr/bin/env node
import { parseArgs } from "node:util";
import { BewaardError } from "#base/errors";
import { printableText } from "#base/printable";
import { systemClock } from "#base/system-clock";
import { systemMounts } from "../helper/mounts.ts";
import { HELPER_PLACES, type HelperPlaces } from "../helper/places.ts";
import { DISK_NAME } from "../orders/disk-name.ts";

// What runs as root: started by systemd, reads no configuration and no environment, loads no library but zod. Each verb loads
// its own: it is started for every card that comes and for every one that goes.

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
  if (verb === "card" && DISK_NAME.test(name)) {
    const { takeUp } = await import("../helper/card.ts");
    const record = await takeUp(systemClock, mounts, places, name);
    const { number, refused, slot } = record ?? { number: null, refused: "no card", slot: "" };
    say(`card ${name} ${slot}: ${number ?? refused}`);
  } else if (verb === "gone" && DISK_NAME.test(name)) {
    const { putAway } = await import("../helper/put-away.ts");
    await putAway(mounts, places, name);
    say(`gone ${name}`);
  } else if (verb === "orders" && positionals.length === 1) {
    const { carryOutOrders } = await import("../helper/orders.ts");
    await carryOutOrders(systemClock, mounts, places, (nonce, report) => {
      const { outcome, why, removed, kept } = report ?? { outcome: "over", removed: [], kept: [] };
      say(`order ${nonce}: ${outcome} ${why ?? ""} -${removed.length} =${kept.length}`);
    });
  } else {
    say(USAGE);
    process.exitCode = MISUSED;
  }
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
    const { ERROR_SAYS } = await import("./error-says.ts");
    process.stderr.write(
      printableText(`${error.code}: ${ERROR_SAYS[error.code]}\n${error.message}\n`),
    );
    process.exitCode = FAILED;
  }
}
