import { open, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDirectory } from "#base/durable";
import { BewaardError, systemCode } from "#base/errors";
import { type Database, openDatabase } from "./sqlite.ts";

/**
 * Room on the catalog's disk that nothing else can take: a file of zeros, given up when the disk is full,
 * so that what makes room can be recorded (invariants 5 and 9).
 */
export interface Reserve {
  /** Makes the file again where there is room for twice its size. */
  replenish(): Promise<"kept" | "made" | "no room">;
  /** Frees its room. False when it was given up before. */
  giveUp(): Promise<boolean>;
}

/** Tens of thousands of changes of state. */
const RESERVE_BYTES = 64 * 1024 * 1024;
/** On a small disk the reserve takes no more than this share of it. */
const SHARE_OF_DISK = 1 / 16;
const BLOCK = Buffer.alloc(64 * 1024);

/** `path`: a file beside the catalog, on the same disk. */
export function openReserve(path: string): Reserve {
  return {
    async replenish() {
      if ((await sizeOf(path)) !== undefined) return "kept";
      // What a crash left half made takes room, and is no reserve.
      await rm(`${path}.partial`, { force: true });
      const { blocks, bavail, bsize } = await statfs(dirname(path));
      const bytes = Math.min(RESERVE_BYTES, Math.floor(blocks * bsize * SHARE_OF_DISK));
      if (bavail * bsize < 2 * bytes) return "no room";
      return (await fill(path, bytes)) ? "made" : "no room";
    },
    async giveUp() {
      if ((await sizeOf(path)) === undefined) return false;
      await rm(path, { force: true });
      await syncDirectory(dirname(path));
      return true;
    },
  };
}

/** With less than this free SQLite cannot even begin: it makes a file of 32 KiB beside the catalog. */
const BEGIN_BYTES = 1024 * 1024;

/**
 * Opens the catalog at `path`, on its reserve where its disk is full: a box must not need a hand because
 * it was stopped with a full disk (invariant 8).
 * @throws BewaardError CATALOG_IO when the file cannot be opened.
 */
export async function openOnReserve(
  path: string,
  reserve: Reserve,
  givenUp: () => void,
): Promise<Database> {
  try {
    return await openDatabase(path);
  } catch (error) {
    if (!(error instanceof BewaardError && error.transient)) throw error;
    const { bavail, bsize } = await statfs(dirname(path));
    if (bavail * bsize >= BEGIN_BYTES || !(await reserve.giveUp())) throw error;
    givenUp();
    return await openDatabase(path);
  }
}

/** Written, not only sized: a hole would hold no room. */
async function fill(path: string, bytes: number): Promise<boolean> {
  const partial = `${path}.partial`;
  try {
    await using file = await open(partial, "w", 0o600);
    for (let left = bytes; left > 0; left -= BLOCK.length) {
      await file.writeFile(BLOCK.subarray(0, Math.min(left, BLOCK.length)));
    }
    await file.sync();
  } catch (error) {
    await rm(partial, { force: true });
    if (systemCode(error) === "ENOSPC" || systemCode(error) === "EDQUOT") return false;
    throw error;
  }
  await rename(partial, path);
  await syncDirectory(dirname(path));
  return true;
}

/**
 * The same catalog for those who make room: when its disk is full they get the reserve. Everybody else
 * waits, so that it is not spent on what takes room.
 */
export function withReserve(database: Database, reserve: Reserve, givenUp: () => void): Database {
  return {
    ...database,
    async transaction(body) {
      try {
        return await database.transaction(body);
      } catch (error) {
        if (!(error instanceof BewaardError && error.code === "CATALOG_FULL")) throw error;
        if (!(await reserve.giveUp())) throw error;
        givenUp();
        return await database.transaction(body);
      }
    },
  };
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
