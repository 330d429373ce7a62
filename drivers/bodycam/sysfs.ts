import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { systemCode } from "#base/errors";

// These files are the kernel's memory: reading one takes 15 µs and never waits, where a promise of it costs a
// tenth of a millisecond, and a look at sixteen cameras takes hundreds. What the kernel may have to wait for
// (texts of a device, which it locks for them) is read as a promise.

// What is pulled out while we read of it fails in one of these ways: no such file, no such device, a read that
// fails, or one that gave up waiting for the device's lock; and where a program serves its files, that has ended.
// Anything else is no disappearing device.
const GONE = new Set(["ENOENT", "ENODEV", "ENXIO", "EIO", "ENOTDIR", "EINTR", "ENOTCONN"]);

/** Undefined where what is asked for has gone, or never was. */
export async function unlessGone<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking;
  } catch (error) {
    return undefinedIfGone(error);
  }
}

function unlessGoneNow<T>(asking: () => T): T | undefined {
  try {
    return asking();
  } catch (error) {
    return undefinedIfGone(error);
  }
}

function undefinedIfGone(error: unknown): undefined {
  if (!GONE.has(systemCode(error) ?? "")) throw error;
  return undefined;
}

/** Names in a folder, sorted; undefined when it is not there. */
export function namesIn(folder: string): readonly string[] | undefined {
  return unlessGoneNow(() => readdirSync(folder))?.toSorted();
}

/** Where a link of sysfs leads: the folder of the device itself. */
export function folderOf(link: string): string | undefined {
  return unlessGoneNow(() => realpathSync.native(link));
}

/** An attribute whose text the kernel itself made. */
export function wordOf(file: string): string | undefined {
  return unlessGoneNow(() => readFileSync(file, "latin1"))?.trim();
}

/** An attribute that is a whole number, written in tens; undefined for anything else. */
export function numberOf(file: string): number | undefined {
  const text = wordOf(file) ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** A text that the device gave, as bytes, without the line end that the kernel adds. */
export async function textOf(file: string): Promise<Buffer | undefined> {
  const bytes = await unlessGone(readFile(file));
  return bytes?.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes;
}
