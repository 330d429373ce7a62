import { readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { unlessGone } from "./sysfs.ts";

/** What a card record says of where a card is. */
interface Mounted {
  /** `8:17`: of its partition, or of the USB device itself for what speaks MTP. */
  readonly device: string;
  readonly mountedAt: string | null;
  readonly volume: { readonly kind: string };
}

/**
 * Whether a mounted card is still in its slot. To be asked after its files were listed and before anything is
 * concluded from them: a card that was just pulled out lists as an empty one, without an error.
 */
export async function isThere(card: Mounted, sys = "/sys"): Promise<boolean> {
  if (card.mountedAt === null || !/^\d+:\d+$/.test(card.device)) return false;
  const overUsb = card.volume.kind === "mtp";
  const known = join(sys, "dev", overUsb ? "char" : "block", card.device);
  if ((await unlessGone(stat(known))) === undefined) return false;
  const mounted = await deviceOf(card.mountedAt);
  if (!overUsb) return mounted === card.device;
  // What speaks MTP is mounted by a program, under a number that only the mount itself knows.
  if (mounted === undefined || mounted === (await deviceOf(dirname(card.mountedAt)))) return false;
  // A device that is locked, or starts up, shows no storage at all: nothing is known of what is on it.
  const storages = await unlessGone(readdir(card.mountedAt));
  return storages !== undefined && storages.length > 0;
}

/** `8:17` of the file system that a folder is on. */
export async function deviceOf(folder: string): Promise<string | undefined> {
  const found = await unlessGone(stat(folder, { bigint: true }));
  if (found === undefined) return undefined;
  // As the C library packs it: the low 8 bits of the minor, 12 of the major, then the rest of each.
  const major = ((found.dev >> 8n) & 0xfffn) | ((found.dev >> 32n) & 0xffff_f000n);
  const minor = (found.dev & 0xffn) | ((found.dev >> 12n) & 0xffff_ff00n);
  return `${major}:${minor}`;
}
