import { readdir, readFile, realpath } from "node:fs/promises";
import { systemCode } from "#base/errors";

// What is pulled out while we read of it fails in one of these ways: no such file, no such device, a read that
// fails, or one that gave up waiting for the device's lock. Anything else is no disappearing device.
const GONE = new Set(["ENOENT", "ENODEV", "ENXIO", "EIO", "ENOTDIR", "EINTR"]);

/** Undefined where what is asked for has gone, or never was. */
export async function unlessGone<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (GONE.has(systemCode(error) ?? "")) return undefined;
    throw error;
  }
}

/** Names in a folder, sorted; undefined when it is not there. */
export async function namesIn(folder: string): Promise<readonly string[] | undefined> {
  return (await unlessGone(readdir(folder)))?.toSorted();
}

/** Where a link of sysfs leads: the folder of the device itself. */
export async function folderOf(link: string): Promise<string | undefined> {
  return unlessGone(realpath(link));
}

/** An attribute as bytes, without the line end that the kernel adds. */
export async function bytesOf(file: string): Promise<Buffer | undefined> {
  const bytes = await unlessGone(readFile(file));
  return bytes?.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes;
}

/** An attribute whose text the kernel itself made. */
export async function wordOf(file: string): Promise<string | undefined> {
  return (await bytesOf(file))?.toString("latin1").trim();
}

/** An attribute that is a whole number, written in tens; undefined for anything else. */
export async function numberOf(file: string): Promise<number | undefined> {
  const text = (await wordOf(file)) ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
