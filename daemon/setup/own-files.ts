import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { link, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { syncDirectory } from "#base/durable";
import { systemCode } from "#base/errors";

/** Whose a file is to be; undefined: of whoever runs this. */
export type Owner = { readonly uid: number; readonly gid: number } | undefined;

/**
 * Writes a file so that it is there whole or not at all, its owner's from the first byte on. With `once` a file of that
 * name stays as it is. Safe in a folder that belongs to its owner: no link there is followed.
 * @returns whether it was written.
 */
export async function writeOwned(
  owner: Owner,
  path: string,
  content: string | Uint8Array,
  mode: number,
  once: "once" | "replace",
): Promise<boolean> {
  // Of its own: another setup that runs now must not write into ours.
  const partial = join(dirname(path), `.${basename(path)}-${randomUUID()}.partial`);
  try {
    await writeNew(owner, partial, content, mode);
    if (once === "replace") await rename(partial, path);
    else await link(partial, path);
    await syncDirectory(dirname(path));
    return true;
  } catch (error) {
    if (once === "once" && systemCode(error) === "EEXIST") return false;
    throw error;
  } finally {
    await rm(partial, { force: true });
  }
}

async function writeNew(
  owner: Owner,
  path: string,
  content: string | Uint8Array,
  mode: number,
): Promise<void> {
  await using file = await open(path, "wx", 0o600);
  if (owner) await file.chown(owner.uid, owner.gid);
  await file.writeFile(content);
  // Whatever the umask.
  await file.chmod(mode);
  await file.sync();
}

/**
 * Makes a folder for `owner`, and what is above it for whoever runs this. One that is there becomes its owner's where it is
 * still empty and of whoever runs this, as a new disk is; any other stays as it is.
 */
export async function makeOwned(owner: Owner, path: string, mode: number): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o755 });
  const { uid } = await stat(path);
  const used = (await readdir(path)).some((name) => name !== "lost+found");
  if (used || uid !== process.getuid?.()) return;
  await using folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  await folder.chmod(mode);
  if (owner) await folder.chown(owner.uid, owner.gid);
}

/** The user whose folder it is; undefined where it is not there, or is that of whoever runs this. */
export async function ownerOf(path: string): Promise<Owner> {
  try {
    const { uid, gid } = await stat(path);
    return uid === process.getuid?.() ? undefined : { uid, gid };
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
