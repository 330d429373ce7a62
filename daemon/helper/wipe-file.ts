import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, open, unlink } from "node:fs/promises";
import { BewaardError, systemCode } from "#base/errors";
import { step } from "#base/step";
import type { WipeOrder } from "../orders/order.ts";
import type { KeptFile } from "../orders/report.ts";
import {
  below,
  descend,
  isUnchanged,
  openFile,
  type SafeFile,
  type SafeFolder,
} from "./safe-folder.ts";

/** What of the machine the removing of one file needs. */
export interface WipeMeans {
  readonly how: WipeOrder["how"];
  /** Reads an open file from the card itself. */
  readonly read: (file: FileHandle) => AsyncIterable<Uint8Array>;
  /** Notes durably that this file matched and goes now. */
  readonly note: () => Promise<void>;
}

const CHUNK_BYTES = 1024 * 1024;

/**
 * Reads the file a second time, from the card itself, and removes it when its bytes are those that were ordered.
 * Returns why it stays otherwise. Nothing that does not match is written to or removed.
 */
export async function wipeFile(
  card: SafeFolder,
  file: WipeOrder["files"][number],
  means: WipeMeans,
): Promise<KeptFile["why"] | undefined> {
  const path = pathNames(file.path);
  const name = path.at(-1) ?? Buffer.alloc(0);
  try {
    await using folder = await descend(card, path.slice(0, -1));
    await using found = await openFile(folder, name);
    if (!(await isAsOrdered(found, file, means))) return "changed";
    if (!(await isUnchanged(folder, name, found))) return "changed";
    await means.note();
    step("helper.noted");
    return await removeNamed(folder, name, found, means.how);
  } catch (error) {
    return whyKept(error);
  }
}

async function removeNamed(
  folder: SafeFolder,
  name: Uint8Array,
  found: SafeFile,
  how: WipeOrder["how"],
): Promise<KeptFile["why"] | undefined> {
  try {
    if (how === "overwrite") {
      await overwrite(found);
      step("helper.overwritten");
      const { dev, ino } = await lstat(below(folder, name), { bigint: true });
      if (dev !== found.stats.dev || ino !== found.stats.ino) return "not-removed";
    }
    // An open file of a media device has no name any more that it could be closed by.
    await found.handle.close();
    await unlink(below(folder, name));
    step("helper.unlinked");
    return (await isGone(folder, name)) ? undefined : "not-removed";
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return "not-removed";
  }
}

/** Asked of the card again: a media device may say that it has removed what it keeps. */
async function isGone(folder: SafeFolder, name: Uint8Array): Promise<boolean> {
  try {
    await lstat(below(folder, name));
    return false;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return true;
    throw error;
  }
}

/** The names that a path of an order is made of, as bytes. */
export function pathNames(encoded: string): readonly Buffer[] {
  const text = Buffer.from(encoded, "base64").toString("latin1");
  return text.split("/").map((name) => Buffer.from(name, "latin1"));
}

async function isAsOrdered(
  { handle, stats }: SafeFile,
  { bytes, sha256 }: WipeOrder["files"][number],
  { read }: WipeMeans,
): Promise<boolean> {
  if (stats.size !== BigInt(bytes)) return false;
  const hash = createHash("sha256");
  let length = 0;
  for await (const chunk of read(handle)) {
    hash.update(chunk);
    length += chunk.length;
    // It grows while we read.
    if (length > bytes) return false;
  }
  return hash.digest("hex") === sha256;
}

/** Writes zeros over the bytes of the file that is open, never past its end, and waits until they are on the card. */
async function overwrite({ handle, stats }: SafeFile): Promise<void> {
  // The same file once more, whatever its name leads to by now.
  await using file = await open(`/proc/self/fd/${handle.fd}`, constants.O_WRONLY);
  const zeros = Buffer.alloc(CHUNK_BYTES);
  const end = Number(stats.size);
  for (let at = 0; at < end; ) {
    const { bytesWritten } = await file.write(zeros, 0, Math.min(CHUNK_BYTES, end - at), at);
    at += bytesWritten;
  }
  await file.sync();
}

function whyKept(error: unknown): KeptFile["why"] {
  if (error instanceof BewaardError && error.code === "SOURCE_IRREGULAR") return "not-a-file";
  // Without a second read from the card itself it stays.
  if (error instanceof BewaardError && error.code === "CARD_MOUNT") return "unreadable";
  const code = systemCode(error);
  if (error instanceof BewaardError || code === undefined) throw error;
  return code === "ENOENT" ? "gone" : "unreadable";
}
