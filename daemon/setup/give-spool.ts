import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readdir } from "node:fs/promises";
import { BewaardError, systemCode } from "#base/errors";
import { SPOOL_IDENTITY } from "../../storage/spool/spool.ts";
import type { Owner } from "./own-files.ts";

type User = NonNullable<Owner>;

/** Who the parts of a box are that hand footage over, where they are not core's own user. */
export type PartUsers = Readonly<Record<"dock" | "record", User>>;

/** Nobody sees what is in there, and all may pass through to what is theirs. */
const THROUGH = 0o711;
/** Core is in the group of each producer. What is made there gets that group. */
const SHARED = 0o2770;
/** Who makes here what is missing. */
const ROOT: User = { uid: 0, gid: 0 };
const FOLDER = constants.O_DIRECTORY;

/**
 * Makes the spool at `path` one of three users, where it was one of core's alone: `incoming/<producer>` and `lease/<role>`
 * become that part's, and with the former what lies in there, for core to read. For root, while none of them runs. Harmless
 * to repeat, and goes on where it was cut off: until then core takes what is its own in a producer's folder as well.
 * Follows no link, for core could have made one.
 * @throws BewaardError SPOOL_OWNER for what is there and is not a box's.
 */
export async function giveSpool(path: string, core: User, parts: PartUsers): Promise<void> {
  await using spool = await open(path, constants.O_RDONLY | FOLDER);
  await using incoming = await openIn(spool, "incoming", FOLDER);
  await using lease = await openIn(spool, "lease", FOLDER);
  for (const folder of [spool, incoming, lease]) {
    await ofOneOf(folder, [core]);
    await folder.chmod(THROUGH);
  }
  await using identity = await openPlain(spool, SPOOL_IDENTITY);
  await ofOneOf(identity, [core]);
  await identity.chmod(0o644);
  for (const role of ["dock", "record"] as const) {
    await giveLease(lease, role, core, parts[role]);
    await giveFolder(incoming, role, core, parts[role]);
  }
  for (const folder of [incoming, lease, spool]) await folder.sync();
}

async function giveLease(lease: FileHandle, role: string, core: User, user: User): Promise<void> {
  await using file = await openPlain(lease, role);
  await ofOneOf(file, [core, user]);
  await file.chown(user.uid, user.gid);
  await file.chmod(0o600);
}

/** The folder first: it says whose facts core takes, and core's own it takes anyhow. */
async function giveFolder(
  incoming: FileHandle,
  role: string,
  core: User,
  user: User,
): Promise<void> {
  await mkdirIfMissing(`${within(incoming)}/${role}`);
  await using folder = await openIn(incoming, role, FOLDER);
  await ofOneOf(folder, [core, user, ROOT]);
  await folder.chown(user.uid, user.gid);
  await folder.chmod(SHARED);
  for (const name of await readdir(Buffer.from(within(folder)), { encoding: "buffer" }))
    await giveFile(folder, name, core, user);
  await folder.sync();
}

async function mkdirIfMissing(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  }
}

/** What is no plain file of core's was never handed over, and stays: core does not believe it either. */
async function giveFile(folder: FileHandle, name: Buffer, core: User, user: User): Promise<void> {
  try {
    await using file = await openOffered(folder, name);
    const { uid } = await file.stat();
    if (uid !== core.uid) return;
    await file.chmod(0o440);
    await file.chown(user.uid, user.gid);
  } catch (error) {
    const passes = error instanceof BewaardError && error.code === "SPOOL_OWNER";
    if (!passes && systemCode(error) !== "ENOENT") throw error;
  }
}

const PARTIAL = ".partial";

/** As `openPlain`, or what a crash left with both its names: that of before it was whole, and its own, each in here. */
async function openOffered(folder: FileHandle, name: Buffer): Promise<FileHandle> {
  const text = name.toString("latin1");
  const other = text.endsWith(PARTIAL) ? text.slice(0, -PARTIAL.length) : `${text}${PARTIAL}`;
  const file = await openIn(folder, name, constants.O_NONBLOCK);
  const { dev, ino, nlink } = await file.stat();
  await file.close();
  if (nlink !== 2) return openPlain(folder, name);
  const path = Buffer.concat([Buffer.from(`${within(folder)}/`), Buffer.from(other, "latin1")]);
  const same = await lstat(path);
  return same.dev === dev && same.ino === ino
    ? openPlain(folder, name, 2)
    : openPlain(folder, name);
}

async function openPlain(
  folder: FileHandle,
  name: string | Uint8Array,
  names = 1,
): Promise<FileHandle> {
  const file = await openIn(folder, name, constants.O_NONBLOCK);
  const stats = await file.stat();
  if (stats.isFile() && stats.nlink === names) return file;
  await file.close();
  throw notOurs("is no plain file");
}

/** Node has no openat: only the last part of this path is a name that anybody else could have put there. */
async function openIn(
  folder: FileHandle,
  name: string | Uint8Array,
  flags: number,
): Promise<FileHandle> {
  const path = Buffer.concat([Buffer.from(`${within(folder)}/`), Buffer.from(name)]);
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | flags);
  } catch (cause) {
    const code = systemCode(cause) ?? "";
    // A link, a file in a folder's place, a socket.
    if (["ELOOP", "ENOTDIR", "ENXIO"].includes(code))
      throw notOurs(`is not as a box has it (${code})`);
    throw cause;
  }
}

function within(folder: FileHandle): string {
  return `/proc/self/fd/${folder.fd}`;
}

async function ofOneOf(one: FileHandle, users: readonly User[]): Promise<void> {
  const { uid } = await one.stat();
  if (!users.some((user) => user.uid === uid)) throw notOurs(`belongs to user ${uid}`);
}

function notOurs(how: string): BewaardError {
  return new BewaardError("SPOOL_OWNER", `something in the spool ${how}`);
}
