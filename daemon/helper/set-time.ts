import { constants } from "node:fs";
import { type FileHandle, lstat, open, rename, unlink } from "node:fs/promises";
import { BewaardError, systemCode } from "#base/errors";
import { step } from "#base/step";
import type { Clock } from "#base/time";
import type { SetTimeOrder } from "../orders/order.ts";
import { timeFileText } from "../orders/time-file.ts";
import { nameOnCard } from "./name-on-card.ts";
import { below, descend, type SafeFolder } from "./safe-folder.ts";
import { clearUnfinished, TIME_FILE_BYTES, unfinishedName } from "./unfinished.ts";
import { pathNames } from "./wipe-file.ts";

/**
 * Writes the one file by which a camera sets its clock: whole or not at all, in a folder that is there, over a
 * small plain file of that name or none. What earlier orders, of those in the folder `used`, began there and never finished
 * goes first. Returns why not otherwise.
 */
export async function setTime(
  clock: Clock,
  order: SetTimeOrder,
  card: SafeFolder,
  used: string,
): Promise<"no-folder" | "not-a-file" | "not-written" | undefined> {
  const path = pathNames(order.path);
  try {
    await using folder = await folderOnCard(card, path.slice(0, -1));
    const name = await nameOnCard(folder, path.at(-1) ?? Buffer.alloc(0));
    if (name === undefined || !(await isFree(folder, name))) return "not-a-file";
    await clearUnfinished(folder, used, order.nonce);
    // What is on the card under that name already is somebody's footage.
    const partial = below(folder, unfinishedName(order.nonce));
    try {
      await writeNew(partial, () => timeFileText(order.template, order.zone, clock.now()));
      step("helper.time-written");
      await named(partial, below(folder, name));
      step("helper.time-named");
      await folder.handle.sync();
      return undefined;
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      return "not-written";
    }
  } catch (error) {
    if (error instanceof BewaardError && error.code === "SOURCE_IRREGULAR") return "no-folder";
    if (error instanceof BewaardError || systemCode(error) === undefined) throw error;
    return "no-folder";
  }
}

/** Whether a zone is one that this machine knows. */
export function isZone(zone: string): boolean {
  try {
    return Intl.DateTimeFormat("en", { timeZone: zone }).format(0) !== "";
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Throws as `descend` does. */
async function folderOnCard(card: SafeFolder, names: readonly Uint8Array[]): Promise<SafeFolder> {
  let folder = await descend(card, []);
  for (const name of names) {
    await using above = folder;
    folder = await descend(above, [(await nameOnCard(above, name)) ?? name]);
  }
  return folder;
}

async function isFree(folder: SafeFolder, name: Uint8Array): Promise<boolean> {
  try {
    const stats = await lstat(below(folder, name), { bigint: true });
    return stats.isFile() && stats.dev === folder.dev && stats.size <= TIME_FILE_BYTES;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return true;
    throw error;
  }
}

/** Asks for the text last: it says which second it is. Leaves nothing of its own behind when it fails. */
async function writeNew(path: Buffer, text: () => string): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const file: FileHandle = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    await file.writeFile(text());
    await file.sync();
  } catch (error) {
    await removeOwn(path);
    throw error;
  } finally {
    await file.close();
  }
}

/** Gives what was written its name, or removes it. */
async function named(partial: Buffer, path: Buffer): Promise<void> {
  try {
    await rename(partial, path);
  } catch (error) {
    await removeOwn(partial);
    throw error;
  }
}

/** Only of what we made: else it would be somebody's footage. */
async function removeOwn(path: Buffer): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  }
}
