import type { BigIntStats } from "node:fs";
import { constants } from "node:fs";
import { type FileHandle, lstat, open, opendir } from "node:fs/promises";
import { BewaardError, systemCode } from "#base/errors";

// Node has no openat. A name below an open folder is reached through /proc/self/fd: only the last part of such a
// path is a name on the card, so nothing on the card can lead elsewhere. Each step looks at what it opened.

/** A folder on the card, held open. */
export interface SafeFolder extends AsyncDisposable {
  readonly handle: FileHandle;
  /** Of the file system; a folder of another one is never entered. */
  readonly dev: bigint;
}

/** A regular file on the card, held open for reading, as it was when it was opened. */
export interface SafeFile extends AsyncDisposable {
  readonly handle: FileHandle;
  readonly stats: BigIntStats;
}

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants;
// Names come as bytes when asked for, which the types of opendir do not say.
const AS_BYTES = encodingOf("buffer");

/** The path of `name` below an open folder. Only for a call that does not follow links. */
export function below(folder: SafeFolder, name: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${folder.handle.fd}/`), name]);
}

/** `8:17`, as the kernel writes the number that `stat` packs. */
export function deviceNumber(dev: bigint): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xffff_f000n);
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffff_ff00n);
  return `${major}:${minor}`;
}

/** Opens where a card is mounted. @throws BewaardError SOURCE_IRREGULAR when what is there is not the file system of `device`. */
export async function openCard(path: string, device: string): Promise<SafeFolder> {
  const handle = await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  return checked(handle, async () => {
    const { dev } = await handle.stat({ bigint: true });
    if (deviceNumber(dev) !== device) throw irregular("not this card");
    return { handle, dev, [Symbol.asyncDispose]: () => handle.close() };
  });
}

/** @throws BewaardError SOURCE_IRREGULAR for a link, or a folder of another file system; a system error where there is none. */
export async function openFolder(parent: SafeFolder, name: Uint8Array): Promise<SafeFolder> {
  const path = below(parent, checkedName(name));
  const handle = await irregularly(open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK));
  return checked(handle, async () => {
    const { dev } = await handle.stat({ bigint: true });
    if (dev !== parent.dev) throw irregular("a folder of another file system");
    return { handle, dev, [Symbol.asyncDispose]: () => handle.close() };
  });
}

/** Opens the folder at `names` below `card`, step by step. Throws as `openFolder` does. */
export async function descend(card: SafeFolder, names: readonly Uint8Array[]): Promise<SafeFolder> {
  const handle = await open(`/proc/self/fd/${card.handle.fd}`, O_RDONLY | O_DIRECTORY);
  let folder: SafeFolder = {
    handle,
    dev: card.dev,
    [Symbol.asyncDispose]: () => handle.close(),
  };
  for (const name of names) {
    await using above = folder;
    folder = await openFolder(above, name);
  }
  return folder;
}

/**
 * Opens a regular file with one name. Looked at before it is opened, because opening a device can do something.
 * @throws BewaardError SOURCE_IRREGULAR for a link, device, FIFO, folder or second name; a system error where there is none.
 */
export async function openFile(parent: SafeFolder, name: Uint8Array): Promise<SafeFile> {
  const path = below(parent, checkedName(name));
  const seen = await lstat(path, { bigint: true });
  if (!isPlainFile(seen, parent)) throw irregular("not a plain file");
  const handle = await irregularly(open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  return checked(handle, async () => {
    const stats = await handle.stat({ bigint: true });
    if (!isPlainFile(stats, parent)) throw irregular("not a plain file");
    return { handle, stats, [Symbol.asyncDispose]: () => handle.close() };
  });
}

/** What lies in a folder, as bytes and in no order. */
export async function* namesIn(folder: SafeFolder): AsyncGenerator<Buffer, void, undefined> {
  const path = `/proc/self/fd/${folder.handle.fd}`;
  for await (const entry of await opendir(path, { encoding: AS_BYTES, bufferSize: 256 })) {
    const name: unknown = entry.name;
    yield name instanceof Uint8Array ? Buffer.from(name) : Buffer.from(String(name));
  }
}

function isPlainFile(stats: BigIntStats, parent: SafeFolder): boolean {
  return stats.isFile() && stats.dev === parent.dev && stats.nlink === 1n;
}

/** Whether `name` is still the file that was opened, and nobody wrote to it since. */
export async function isUnchanged(
  parent: SafeFolder,
  name: Uint8Array,
  file: SafeFile,
): Promise<boolean> {
  const now = await lstat(below(parent, name), { bigint: true });
  const { stats } = file;
  const same = now.dev === stats.dev && now.ino === stats.ino && isPlainFile(now, parent);
  return same && now.size === stats.size && now.mtimeNs === stats.mtimeNs;
}

function checkedName(name: Uint8Array): Uint8Array {
  const text = Buffer.from(name).toString("latin1");
  if (["", ".", ".."].includes(text) || /[/\0]/.test(text)) throw irregular("not a name");
  return name;
}

/** Closes what was opened when it turns out not to be what it was opened as. */
async function checked<T>(handle: FileHandle, check: () => Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function irregularly(opening: Promise<FileHandle>): Promise<FileHandle> {
  try {
    return await opening;
  } catch (error) {
    const code = systemCode(error);
    // What the kernel answers for a link, a file in place of a folder, a socket.
    if (code === "ELOOP" || code === "ENOTDIR" || code === "ENXIO") throw irregular(code, error);
    throw error;
  }
}

function irregular(what: string, cause?: unknown): BewaardError {
  return new BewaardError("SOURCE_IRREGULAR", what, { cause });
}

function encodingOf(name: string): BufferEncoding {
  if (isEncoding(name)) return name;
  throw new TypeError(`not an encoding: ${name}`);
}

function isEncoding(name: string): name is BufferEncoding {
  return name === "buffer" || Buffer.isEncoding(name);
}
