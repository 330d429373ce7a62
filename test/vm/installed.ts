import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#base/system-clock";
import { recordClip } from "../../daemon/demo/clips.ts";
import { NEVER } from "../fakes/rig.ts";
import { accountOf, installBox } from "./box.ts";
import { makeCard } from "./cards.ts";
import { copyIntoExfat } from "./exfat.ts";
import { type Frozen, justBooted, openGuest } from "./frozen.ts";
import type { Guest } from "./guest.ts";
import { writePacked } from "./packed.ts";

/** Where the box that was installed before any test is: mocha's own processes are told by their environment. */
const PLACE = "BEWAARD_VM_INSTALLED";
const DISK = "disk.qcow2";
/** Why there is none, in the words of the error. */
const FAILED = "failed";
const EXFAT_CARD = "exfat-card";

let installing: Promise<void> = Promise.resolve();

/**
 * Installs a box in a guest, from the package: each file that needs one goes on from there. Files that need none do not wait for it,
 * for an emulated machine has one processor, and the other is idle meanwhile.
 */
export async function mochaGlobalSetup(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "bewaard-test-"));
  process.env[PLACE] = folder;
  // Two files at once would both make it.
  await justBooted();
  installing = install(folder).catch((error: unknown) =>
    writeFile(join(folder, FAILED), error instanceof Error ? (error.stack ?? "") : String(error)),
  );
}

export async function mochaGlobalTeardown(): Promise<void> {
  await installing;
  await rm(place(), { recursive: true, force: true });
}

async function install(folder: string): Promise<void> {
  await using guest = await openGuest(await justBooted(), writePacked);
  await recordClip(join(folder, "recorded"), systemClock.now(), 550);
  await makeCard(join(folder, EXFAT_CARD), "exfat", 64, "CAM2");
  await copyIntoExfat(guest, join(folder, EXFAT_CARD), join(folder, "recorded"));
  try {
    await installBox(guest);
  } catch (error) {
    console.log(await accountOf(guest));
    throw error;
  }
  await guest.freeze(join(folder, DISK));
}

/** A guest of its own with a box that was just installed in it, and runs. */
export async function openInstalled(): Promise<Guest> {
  const disk = join(place(), DISK);
  while (!existsSync(disk)) {
    const failed = join(place(), FAILED);
    if (existsSync(failed))
      throw new Error(`no box was installed: ${await readFile(failed, "utf8")}`);
    await systemClock.sleep(200, NEVER);
  }
  const { image } = await justBooted();
  const from: Frozen = { image, disk };
  return openGuest(from);
}

/** An exFAT card with one recording on it, a copy of its own in `path`. */
export async function copyExfatCard(path: string): Promise<void> {
  await cp(join(place(), EXFAT_CARD), path);
}

function place(): string {
  const folder = process.env[PLACE];
  if (folder === undefined) throw new Error("no box was installed: test/vm/mocharc.json does that");
  return folder;
}
