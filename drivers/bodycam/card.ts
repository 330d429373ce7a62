import type { Dirent } from "node:fs";
import { lstat, opendir } from "node:fs/promises";
import { BewaardError, systemCode } from "#base/errors";
import { type Instant, instant } from "#base/time";

/** A regular file on a card. */
export interface CardFile {
  /** Path below the card's root, as bytes: names need not be text. */
  readonly path: Buffer;
  readonly bytes: number;
  readonly modifiedAt: Instant;
}

/** A loop in a broken file system must end somewhere; a camera nests three deep. */
const DEPTH_LIMIT = 12;
const FILES_LIMIT = 100_000;

// Names come as buffers when asked for, which the types of opendir do not say.
const AS_BYTES = encodingOf("buffer");

/**
 * Lists the regular files of the card at `root`; links, devices and FIFOs are not footage and are
 * passed over. Undefined when nothing is docked there.
 * @throws BewaardError CARD_READ when the card does not answer or never ends.
 */
export async function listCard(root: string): Promise<readonly CardFile[] | undefined> {
  const files: CardFile[] = [];
  try {
    await walk(Buffer.from(root), Buffer.alloc(0), 0, files);
  } catch (cause) {
    if (cause instanceof BewaardError) throw cause;
    const code = systemCode(cause);
    if (code === "ENOENT" && files.length === 0) return undefined;
    throw new BewaardError("CARD_READ", `the card cannot be listed (${code})`, {
      cause,
      transient: true,
    });
  }
  return files.toSorted((a, b) => a.path.compare(b.path));
}

async function walk(root: Buffer, folder: Buffer, depth: number, files: CardFile[]): Promise<void> {
  if (depth > DEPTH_LIMIT) throw endless();
  const entries = await opendir(joined(root, folder), { encoding: AS_BYTES });
  for await (const entry of entries) {
    const path = folder.length === 0 ? nameOf(entry) : joined(folder, nameOf(entry));
    if (entry.isDirectory()) await walk(root, path, depth + 1, files);
    else if (entry.isFile()) files.push(await described(root, path));
    if (files.length > FILES_LIMIT) throw endless();
  }
}

async function described(root: Buffer, path: Buffer): Promise<CardFile> {
  const { size, mtimeMs } = await lstat(joined(root, path));
  return { path, bytes: size, modifiedAt: instant(Math.max(0, Math.floor(mtimeMs))) };
}

function nameOf(entry: Dirent): Buffer {
  const name: unknown = entry.name;
  return name instanceof Uint8Array ? Buffer.from(name) : Buffer.from(String(name));
}

/** `a/b` for paths that are bytes. */
export function joined(a: Uint8Array, b: Uint8Array): Buffer {
  return b.length === 0 ? Buffer.from(a) : Buffer.concat([a, Buffer.from("/"), b]);
}

function endless(): BewaardError {
  return new BewaardError("CARD_READ", "the card has more files or folders than any camera makes");
}

function encodingOf(name: string): BufferEncoding {
  if (isEncoding(name)) return name;
  throw new TypeError(`not an encoding: ${name}`);
}

function isEncoding(name: string): name is BufferEncoding {
  return name === "buffer" || Buffer.isEncoding(name);
}
