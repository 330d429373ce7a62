import { lstat, opendir } from "node:fs/promises";
import { BewaardError, systemCode } from "#base/errors";
import { DAY_MS, type Instant, instant } from "#base/time";
import { entriesIn, isServedByProgram } from "./entries.ts";
import type { CardLimits } from "./profile.ts";

/** A regular file on a card. */
export interface CardFile {
  /** Path below the card's root, as bytes: names need not be text. */
  readonly path: Buffer;
  readonly bytes: number;
  readonly modifiedAt: Instant;
}

/** A loop in a broken file system must end somewhere; a camera nests three deep. */
const LIMITS: CardLimits = { files: 100_000, bytes: 8e12, depth: 12 };
const LATEST_MS = Date.parse("9999-12-31T00:00:00.000Z");

export interface Card {
  readonly files: readonly CardFile[];
  /** What is there and could not be looked at: it stays on the card, and somebody must know. */
  readonly unread: readonly Unread[];
  /** There are more files than `files` and `unread` tell of. */
  readonly more: boolean;
}

interface Unread extends Partial<CardFile> {
  readonly path: Buffer;
  readonly why: string;
  /** Its length is what is wrong with it. */
  readonly tooLarge?: true;
}

/**
 * Lists the regular files of the card at `root`; links, devices and FIFOs are not footage and are
 * passed over. One bad folder or name, or a file too large to be true, does not hide the rest. Of more files than
 * `limits` the oldest are told: those go first where a camera records over its footage. Undefined when nothing is docked there.
 * @throws BewaardError CARD_READ when the card does not answer.
 */
export async function listCard(
  root: string,
  limits: CardLimits = LIMITS,
): Promise<Card | undefined> {
  let isServed: boolean;
  try {
    await opendir(root).then((folder) => folder.close());
    isServed = await isServedByProgram(root);
  } catch (cause) {
    const code = systemCode(cause);
    if (code === "ENOENT") return undefined;
    const message = `the card cannot be listed (${code})`;
    throw new BewaardError("CARD_READ", message, { cause, transient: true });
  }
  const listing: Listing = { root: Buffer.from(root), isServed, limits, files: [], unread: [] };
  await walk(listing, Buffer.alloc(0), 0);
  return withinLimit(listing);
}

/** What a card of this model may have of what was listed. The first beyond that stands for all that are left. */
function withinLimit({ files, unread, limits }: Listing): Card {
  const most = limits.files;
  if (files.length + unread.length <= most) return { files: inOrder(files), unread, more: false };
  const oldest = files.toSorted((a, b) => a.modifiedAt - b.modifiedAt);
  const first = oldest[most] ?? { path: unread[most]?.path ?? Buffer.alloc(0) };
  const why = `the card has more than ${most} files: neither this one nor any that is later is read`;
  const told = [...unread.slice(0, most), { ...first, why }];
  return { files: inOrder(oldest.slice(0, most)), unread: told, more: true };
}

function inOrder(files: readonly CardFile[]): readonly CardFile[] {
  return files.toSorted((a, b) => a.path.compare(b.path));
}

/** Which are the oldest is told by looking further than the limit of a model; but not for ever. */
function isFull({ files, unread, limits }: Listing): boolean {
  return files.length + unread.length > Math.max(limits.files, LIMITS.files);
}

interface Listing {
  readonly root: Buffer;
  readonly isServed: boolean;
  readonly limits: CardLimits;
  readonly files: CardFile[];
  readonly unread: Unread[];
}

async function walk(listing: Listing, folder: Buffer, depth: number): Promise<void> {
  const { root, isServed, limits, files, unread } = listing;
  if (depth > limits.depth) {
    unread.push({ path: folder, why: "nested deeper than any camera does" });
    return;
  }
  try {
    for await (const { name, kind } of entriesIn(joined(root, folder), isServed)) {
      const path = folder.length === 0 ? name : joined(folder, name);
      if (kind === "folder") await walk(listing, path, depth + 1);
      if (isFull(listing)) return;
      if (kind !== "file") continue;
      const file = await described(root, path);
      if (typeof file === "string") unread.push({ path, why: file });
      else if (file.bytes <= limits.bytes) files.push(file);
      else unread.push({ path, why: `larger than ${limits.bytes} bytes`, tooLarge: true });
    }
  } catch (error) {
    const code = systemCode(error);
    if (error instanceof BewaardError || code === undefined) throw error;
    unread.push({ path: folder, why: `cannot be read (${code})` });
  }
}

/** A file, or why it cannot be looked at: on a broken card one name may lead nowhere, and the next be whole. */
async function described(root: Buffer, path: Buffer): Promise<CardFile | string> {
  try {
    const { size, mtimeMs } = await lstat(joined(root, path));
    return { path, bytes: size, modifiedAt: changedAt(mtimeMs) };
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    return `cannot be looked at (${code})`;
  }
}

/** A date outside these years is none, and has no text form we could write down. */
export function changedAt(mtimeMs: number): Instant {
  return instant(Math.min(Math.max(DAY_MS, Math.floor(mtimeMs)), LATEST_MS));
}

/** `a/b` for paths that are bytes. */
export function joined(a: Uint8Array, b: Uint8Array): Buffer {
  return b.length === 0 ? Buffer.from(a) : Buffer.concat([a, Buffer.from("/"), b]);
}
