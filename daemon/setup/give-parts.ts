import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { BewaardError } from "#base/errors";
import type { Config } from "../../config/schema.ts";
import { openSpool } from "../../storage/spool/spool.ts";
import { catalogPath } from "../places.ts";
import { giveRecorder } from "./give-recorder.ts";
import { giveSpool, type PartUsers } from "./give-spool.ts";
import type { Owner } from "./own-files.ts";
import { isThere } from "./settle-configuration.ts";

type User = NonNullable<Owner>;

/**
 * Gives dock and recorder of a box what is theirs, where all of it was core's: their part of the spool, and what the recorder had in
 * core's state folder. For root, while none of them runs. Harmless to repeat, and goes on where it was cut off. Does nothing
 * where there is no spool yet: `bewaard setup` makes that, and gives it.
 * @returns whether there was anything to give.
 * @throws BewaardError SPOOL_IDENTITY where the disk of the spool is not there; SPOOL_OWNER for what is not a box's, or where they
 * cannot come to it; and as `giveRecorder` does.
 */
export async function giveParts(config: Config, core: User, parts: PartUsers): Promise<boolean> {
  if (!(await hasSpool(config))) return false;
  await letThrough(config.spool.path, core);
  await giveSpool(config.spool.path, core, parts);
  await giveRecorder(config, core, parts.record);
  return true;
}

async function hasSpool(config: Config): Promise<boolean> {
  try {
    await openSpool(config.spool.path, config.node);
    return true;
  } catch (error) {
    const isAbsent = error instanceof BewaardError && error.code === "SPOOL_IDENTITY";
    // A box that kept anything has one.
    if (isAbsent && !(await isThere(catalogPath(config)))) return false;
    throw error;
  }
}

/** What is above the spool and core's own is opened, as far as passing through it goes. */
async function letThrough(path: string, core: User): Promise<void> {
  for (let above = dirname(path); above !== "/"; above = dirname(above)) {
    await using folder = await open(above, constants.O_RDONLY | constants.O_DIRECTORY);
    const { mode, uid } = await folder.stat();
    if ((mode & 0o001) !== 0) continue;
    if (uid !== core.uid) {
      const message = `${above} lets nobody through to the spool: chmod o+x ${above}`;
      throw new BewaardError("SPOOL_OWNER", message);
    }
    await folder.chmod((mode & 0o7777) | 0o011);
  }
}
