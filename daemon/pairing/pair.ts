import { BewaardError } from "#base/errors";
import type { DeviceId } from "#base/ids";
import { step } from "#base/step";
import type { Clock } from "#base/time";
import { readProfile } from "../../config/load.ts";
import {
  lookAlike,
  type Paired,
  readBodycams,
  recordPairing,
  recordRetired,
} from "../../storage/catalog/bodycams.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import { usbSerial, volumeSerial } from "../orders/parts.ts";
import type { InSlot, LookInSlots } from "./in-slots.ts";
import type { PairedNote } from "./paired-note.ts";
import { isItself, isPlaceholder } from "./serials.ts";

/** What people said when they paired. */
export interface Asked {
  readonly number: DeviceId;
  readonly slot: string;
  readonly profile: string;
  /** A role. */
  readonly by: string;
}

/** The bodycams of the configuration, which are folders. */
export type Configured = readonly { readonly number: DeviceId }[];

const OTHERWISE =
  "format the card of one of them in that camera itself, which gives it another serial, and dock it again; where that does not help, copy its files to a folder under `bodycams:`";

/**
 * Makes a number the camera that is in a slot now: row and ledger entry, then the list of the root helper
 * (procedure "Pair", docs/design.md). Again, of a camera that is in service: takes over that its file
 * system, or its profile, is another.
 * @throws BewaardError BODYCAM_ALIKE, BODYCAM_REFUSED, CONFIG_MISSING and CONFIG_INVALID (of its profile);
 * SPOOL_FULL, SPOOL_IO (transient) where it is paired and the list could not be written: it is tried again.
 */
export async function pair(
  clock: Clock,
  database: Database,
  lookInSlots: LookInSlots,
  note: PairedNote,
  configured: Configured,
  { number, slot, profile, by }: Asked,
): Promise<{ readonly camera: InSlot; readonly outcome: Paired["outcome"] }> {
  if (configured.some((one) => one.number === number))
    throw refused(`${number} is in the configuration: a number is there or paired, never both`);
  await readProfile(profile);
  const camera = inSlot(await lookInSlots(), slot);
  const { vendor, product, serial, volume } = camera;
  const pairing = {
    device: number,
    vendor,
    product,
    serial,
    volume,
    idFileSha256: null,
    profile,
    by,
  };
  const paired = await recordPairing(database, clock.now(), pairing);
  requireDone(paired, number, camera);
  step("pair.recorded");
  await note.keep();
  return { camera, outcome: paired.outcome };
}

/** What the root helper says of a card that only lacks its pairing; of twins one may have gone since. */
const MAY_BE_PAIRED: ReadonlySet<string | null> = new Set([null, "unpaired", "same-identity"]);

function inSlot(present: readonly InSlot[], slot: string): InSlot {
  const there = present.filter((one) => one.slot === slot);
  const [camera, another] = there;
  if (camera === undefined)
    throw refused(`nothing is in slot ${slot}: \`bewaarctl docks list\` tells what is where`);
  if (another !== undefined) throw refused(`more than one device is in slot ${slot}`);
  if (camera.kind === "other")
    throw refused(`what is in slot ${slot} shows no files: put the camera in its USB mode`);
  if (!camera.looked)
    throw refused(
      `the root helper has not looked at slot ${slot} yet: wait a moment; if that does not help, see \`journalctl -t bewaard-media -t bewaard-mtp\``,
    );
  if (!MAY_BE_PAIRED.has(camera.refused))
    throw refused(
      `the root helper cannot use the card in slot ${slot} (${camera.refused}): one partition with FAT32 or exFAT, or none at all`,
    );
  // What the helper's list cannot carry must not come into the catalog either.
  if (!usbSerial.safeParse(camera.serial).success || !volumeSerial.safeParse(camera.volume).success)
    throw refused(`the camera in slot ${slot} gives a serial that is none`);
  if (!isItself(camera))
    throw new BewaardError(
      "BODYCAM_ALIKE",
      `nothing tells the camera in slot ${slot} from another of its model (serial ${shown(camera.serial)}, file system ${shown(camera.volume)}): ${OTHERWISE}`,
    );
  const twin = present.find((other) => other.slot !== slot && lookAlike(other, camera));
  if (twin === undefined) return camera;
  throw new BewaardError(
    "BODYCAM_ALIKE",
    `the cameras in slots ${slot} and ${twin.slot} look the same: ${OTHERWISE}`,
  );
}

function requireDone(paired: Paired, number: DeviceId, { slot, serial }: InSlot): void {
  switch (paired.outcome) {
    case "alike":
      throw new BewaardError(
        "BODYCAM_ALIKE",
        `the camera in slot ${slot} looks the same as ${paired.other}, which is paired: it is ${paired.other}, or ${OTHERWISE}`,
      );
    case "another-camera":
      throw refused(
        `${number} is another camera than the one in slot ${slot}${isPlaceholder(serial) ? ", as far as its serial tells" : ""}: \`bewaarctl bodycams retire ${number}\` first`,
      );
    case "wall-camera":
      throw refused(`${number} is a camera in a building`);
    case "paired":
    case "volume-changed":
    case "profile-changed":
    case "same":
      return;
    default:
      paired satisfies never;
  }
}

/**
 * Ends a pairing: the camera is not read any more, in any slot. What was taken of it stays.
 * @throws BewaardError BODYCAM_REFUSED where the number is not paired.
 */
export async function retire(
  clock: Clock,
  database: Database,
  note: PairedNote,
  number: DeviceId,
  by: string,
  reason: string,
): Promise<void> {
  if (!(await recordRetired(database, clock.now(), number, by, reason)))
    throw refused(`${number} is not paired: \`bewaarctl bodycams list\` tells which are`);
  step("pair.recorded");
  await note.keep();
}

/** @throws BewaardError CONFIG_INVALID for a number that the configuration names and that is paired. */
export async function requireEither(database: Database, configured: Configured): Promise<void> {
  const both = (await database.transaction(readBodycams)).find(
    ({ device, retiredAt }) =>
      retiredAt === undefined && configured.some(({ number }) => number === device),
  );
  if (both === undefined) return;
  throw new BewaardError(
    "CONFIG_INVALID",
    `bodycams: ${both.device} is paired: take it out of the file, start again, and retire it first if it is to be a folder`,
  );
}

function refused(message: string): BewaardError {
  return new BewaardError("BODYCAM_REFUSED", message);
}

function shown(serial: string | null): string {
  return serial === null ? "none" : `"${serial}"`;
}
