#!/usr/bin/env node
import { parseArgs } from "node:util";
import { BewaardError, systemCode } from "#base/errors";
import { printableText } from "#base/printable";
import { systemClock } from "#base/system-clock";
import { type Mounts, systemMounts } from "../helper/mounts.ts";
import { HELPER_PLACES, type HelperPlaces } from "../helper/places.ts";
import { DISK_NAME, MTP_NAME } from "../orders/disk-name.ts";

// What runs as root: started by systemd, reads no configuration and no environment, loads no library but zod. Each verb loads
// its own: it is started for every card that comes and for every one that goes.

const ROOM_MIB = 2048;

const USAGE = `bewaard-helper card <name> | mtp <name> | gone <name> | orders
  card    koppel een kaart aan en zeg wat het is / mount a card and tell what it is (udev: sdb1)
  mtp     hetzelfde van een media-apparaat, zolang het er is / the same of a media device, while it is in (mtp-001-005)
  gone    koppel haar af / take it away
  orders  voer uit wat core getekend heeft / carry out what core has signed
--room (${ROOM_MIB}): MiB geheugen voor één bestand van een media-apparaat / of memory for one file of a media device
Mappen, voor proeven / folders, for tests:
  ${Object.entries(HELPER_PLACES)
    .map(([name, path]) => `--${name} (${path})`)
    .join("\n  ")}`;

const FAILED = 1;
const MISUSED = 2;

async function main(argv: readonly string[]): Promise<void> {
  const asked = argv.includes("--help") ? undefined : argumentsOf(argv);
  if (asked === undefined) {
    say(USAGE);
    process.exitCode = argv.includes("--help") ? 0 : MISUSED;
    return;
  }
  const { positionals, values } = asked;
  const { room = String(ROOM_MIB), ...folders } = values;
  const places: HelperPlaces = { ...HELPER_PLACES, ...folders };
  const mounts = systemMounts(places.dev);
  const [verb, name = ""] = positionals;
  if (verb === "card" && DISK_NAME.test(name)) {
    const { takeUp } = await import("../helper/card.ts");
    const record = await takeUp(systemClock, mounts, places, name);
    say(`card ${name} ${whatItIs(record)}`);
  } else if (verb === "mtp" && MTP_NAME.test(name) && /^[1-9]\d{0,5}$/.test(room)) {
    await serve(mounts, places, name, Number(room));
  } else if (verb === "gone" && (DISK_NAME.test(name) || MTP_NAME.test(name))) {
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

/** Undefined for an option that is none, or lacks its value: somebody's slip, not a bug. */
function argumentsOf(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: Object.fromEntries(
        ["room", ...Object.keys(HELPER_PLACES)].map((name) => [name, { type: "string" as const }]),
      ),
    });
  } catch (error) {
    if (systemCode(error)?.startsWith("ERR_PARSE_ARGS") !== true) throw error;
    return undefined;
  }
}

/** Returns at once for what is refused, with a record, and otherwise when its files are served no more. */
async function serve(
  mounts: Mounts,
  places: HelperPlaces,
  name: string,
  roomMib: number,
): Promise<void> {
  const { jmtpfs } = await import("../helper/jmtpfs.ts");
  const { takeUpMtp } = await import("../helper/mtp.ts");
  const start = await jmtpfs(systemClock, roomMib);
  const taken = await takeUpMtp(systemClock, mounts, start, places, name);
  say(`mtp ${name} ${whatItIs(taken?.record)}`);
  if (taken?.serving === undefined) return;
  await taken.serving.ended;
  // Pulled out, or its program came to grief: systemd puts away what is left, and has us look again where it is still in.
  say(`mtp ${name}: ended`);
  process.exitCode = FAILED;
}

interface Found {
  readonly slot: string;
  readonly number: string | null;
  readonly refused: string | null;
}

function whatItIs(record: Found | undefined): string {
  const { number, refused, slot } = record ?? { number: null, refused: "no card", slot: "" };
  return `${slot}: ${number ?? refused}`;
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
