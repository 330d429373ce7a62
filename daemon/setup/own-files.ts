import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, link, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { syncDirectory } from "#base/durable";
import { BewaardError, systemCode } from "#base/errors";

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

/** More than any secret of ours. */
const SMALL_BYTES = 4096;

/**
 * Reads a small file of `owner`'s as root may: only one that its owner could read as well, so no link, no second name of
 * another's file, and nothing that has somebody wait, as a FIFO does.
 * @returns undefined where there is none. @throws BewaardError SECRET_EXPOSED for anything else of that name.
 */
export async function readOwned(
  owner: Owner,
  path: string,
  most = SMALL_BYTES,
): Promise<Buffer | undefined> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    await using file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const seen = await file.stat();
    const own = seen.uid === (owner?.uid ?? process.getuid?.()) && seen.nlink === 1;
    if (!seen.isFile() || !own || seen.size > most) throw notPlain(path);
    // No more than was looked at, whatever is written to it meanwhile.
    const { buffer, bytesRead } = await file.read(Buffer.alloc(seen.size), 0, seen.size, 0);
    return buffer.subarray(0, bytesRead);
  } catch (cause) {
    const code = systemCode(cause);
    if (code === "ENOENT") return undefined;
    // A link; a socket, or a device that is none.
    if (code === "ELOOP" || code === "ENXIO") throw notPlain(path);
    throw cause;
  }
}

function notPlain(path: string): BewaardError {
  const message = `${path}: geen klein gewoon bestand van de eigenaar van de map / no small plain file of the folder's owner`;
  return new BewaardError("SECRET_EXPOSED", message);
}

/**
 * Makes a folder for `owner`, and what is above it for whoever runs this. One that is there becomes its owner's where it is
 * still empty and of whoever runs this, as a new disk is; any other stays as it is, and so does what a link of that name
 * leads to. What is looked at is what is changed, whatever takes its name meanwhile.
 */
export async function makeOwned(owner: Owner, path: string, mode: number): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o755 });
  await using folder = await openFolder(path);
  if (folder === undefined) return;
  const { uid } = await folder.stat();
  const names = await readdir(`/proc/self/fd/${folder.fd}`);
  if (uid !== process.getuid?.() || names.some((name) => name !== "lost+found")) return;
  await folder.chmod(mode);
  if (owner) await folder.chown(owner.uid, owner.gid);
}

/** Undefined for a link to one. */
async function openFolder(path: string): Promise<FileHandle | undefined> {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  try {
    return await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    // Of both that it may not be, Linux tells of this one.
    if (systemCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
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
