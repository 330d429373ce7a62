import { stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { diskError } from "#base/disk-errors";
import { systemCode } from "#base/errors";
import type { BackedUp } from "./make.ts";

/** The disk has room for so much more than a backup takes, or none is made. */
const SPARE_BYTES = 128 * 1024 * 1024;

/** What a backup needs of the catalog's disk, and what there is. */
export interface BackupRoom {
  readonly neededBytes: number;
  readonly freeBytes: number;
  readonly diskBytes: number;
  /** Of the catalog; 0 before core was started first. */
  readonly catalogBytes: number;
  /** Whether the spool fills that disk as well. */
  readonly shared: boolean;
}

/**
 * The copy and the sealed one lie there at the same time. What is kept free is for footage and its rows: where the spool
 * is on the same file system, it would give up footage that no vault has yet to get that back (invariant 1).
 */
export async function backupRoom({
  catalog,
  spool,
  keepFreeBytes,
}: Pick<BackedUp, "catalog" | "spool" | "keepFreeBytes">): Promise<BackupRoom> {
  const folder = dirname(catalog);
  const { bavail, blocks, bsize } = await statfs(folder);
  const shared = (await deviceOf(folder)) === (await deviceOf(spool));
  const kept = shared ? keepFreeBytes : 0;
  const catalogBytes = await bytesOf(catalog);
  return {
    neededBytes: 2 * catalogBytes + SPARE_BYTES + kept,
    freeBytes: bavail * bsize,
    diskBytes: blocks * bsize,
    catalogBytes,
    shared,
  };
}

async function deviceOf(folder: string): Promise<number> {
  try {
    return (await stat(folder)).dev;
  } catch (error) {
    throw diskError(error, "looking which disk the spool is on");
  }
}

async function bytesOf(catalog: string): Promise<number> {
  try {
    return (await stat(catalog)).size;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return 0;
    throw diskError(error, "looking how large the catalog is");
  }
}
