import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { BewaardError } from "#base/errors";
import type { Config } from "../../config/schema.ts";
import { openSpool } from "../../storage/spool/spool.ts";
import { leadingTo } from "../leading-to.ts";
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
  await letThrough(config.spool.path, core, [parts.dock, parts.record]);
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

/**
 * What is above the spool and core's own is opened for `users`, as far as passing through it goes. Whether they come to it then is
 * tried: a link may lead through any folder, and a list of access says what no mode does.
 * @throws BewaardError SPOOL_OWNER where one of them cannot.
 */
export async function letThrough(path: string, core: User, users: readonly User[]): Promise<void> {
  if (await allReach(path, users)) return;
  const closed: string[] = [];
  for (const above of await leadingTo(path)) {
    await using folder = await open(above, constants.O_RDONLY | constants.O_DIRECTORY);
    const { mode, uid } = await folder.stat();
    if ((mode & 0o001) !== 0) continue;
    if (uid === core.uid) await folder.chmod((mode & 0o7777) | 0o011);
    else closed.push(above);
  }
  if (await allReach(path, users)) return;
  const [first = `a folder that a link in ${path} leads through`] = closed;
  const message = `${first} lets nobody through to the spool: chmod o+x ${closed[0] ?? "there"}`;
  throw new BewaardError("SPOOL_OWNER", message);
}

async function allReach(path: string, users: readonly User[]): Promise<boolean> {
  for (const user of users) if (!(await reaches(path, user))) return false;
  return true;
}

async function reaches(path: string, { uid, gid }: User): Promise<boolean> {
  const child = spawn("/usr/bin/test", ["-e", path], { uid, gid, cwd: "/", env: {} });
  const ended: readonly unknown[] = await once(child, "close");
  return ended[0] === 0;
}
