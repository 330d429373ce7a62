import { constants } from "node:fs";
import { lstat, open, readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { syncDirectory } from "#base/durable";
import { BewaardError, systemCode } from "#base/errors";
import type { Config } from "../../config/schema.ts";
import { isPassword, livePath, marksPath, recorderFolder, recordSocketPath } from "../places.ts";
import { type Owner, readOwned, writeOwned } from "./own-files.ts";

type User = NonNullable<Owner>;

/** More than the marks of any number of cameras. */
const MARKS_BYTES = 16 * 1024 * 1024;

/**
 * Gives `record` the folder that is the recorder's own, with what is core's in there from before, and what lies in core's state
 * folder: how far cameras were recorded, and their passwords. What the recorder has already goes before what core has.
 * @throws BewaardError CONFIG_INVALID where the recorder has no folder of its own; SECRET_EXPOSED for what is no plain file.
 */
export async function giveRecorder(config: Config, core: User, record: User): Promise<void> {
  const to = recorderFolder(config);
  if (to === config.state) {
    if (config.cameras.length === 0) return;
    const message = "the recorder is another user than core: name a folder, recorder: { state: … }";
    throw new BewaardError("CONFIG_INVALID", message);
  }
  await giveFolder(to, core, record);
  const marks = basename(marksPath(config));
  for (const from of [to, config.state]) {
    for (const name of await readdir(from)) {
      const isMarks = name === marks;
      if (!isMarks && !isPassword(name)) continue;
      const path = join(from, name);
      // There the recorder may have made anything, and who took it over must not keep a box from being set up.
      if (from === to && !(await isPlainOf(core, path))) continue;
      const content = await readOwned(core, path, isMarks ? MARKS_BYTES : undefined);
      if (content === undefined) continue;
      const how = from === to ? "replace" : "once";
      await writeOwned(record, join(to, name), content, 0o600, how);
      if (from !== to) await rm(path);
    }
  }
  // Where a recorder of before answered.
  for (const socket of [recordSocketPath(config), livePath(config)])
    await rm(join(config.state, basename(socket)), { force: true });
  await syncDirectory(config.state);
}

async function isPlainOf({ uid }: User, path: string): Promise<boolean> {
  try {
    const found = await lstat(path);
    return found.isFile() && found.uid === uid && found.nlink === 1;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** Core's group may pass through to the recorder's sockets, which are made of that group. */
async function giveFolder(path: string, core: User, record: User): Promise<void> {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  await using folder = await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  const { uid } = await folder.stat();
  if (uid !== core.uid && uid !== record.uid && uid !== 0)
    throw new BewaardError("SPOOL_OWNER", `${path} belongs to user ${uid}`);
  await folder.chown(record.uid, core.gid);
  await folder.chmod(0o2710);
}
