import { type FileHandle, lstat, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { syncDirectory } from "#base/durable";
import { BewaardError, systemCode } from "#base/errors";
import { type Clock, DAY_MS } from "#base/time";
import { readTrusted } from "#base/trusted-file";
import { ownUser } from "./record.ts";

/** An order that has begun, now and for ever. What it is about to do is noted before it is done. */
export interface UsedOrder extends AsyncDisposable {
  /** Notes durably that the file of that place in the list matched and goes now. */
  note(index: number): Promise<void>;
  /** Notes durably that the order has come to its end. */
  close(): Promise<void>;
}

/** What an earlier start of the same order left. */
export interface EarlierStart {
  /** Places in the list of files that it had found to match, and was removing. */
  readonly noted: readonly number[];
  /** Whether it came to its end. */
  readonly closed: boolean;
}

const CLOSED = "closed";
const END = ".";
const NONCE = /^[0-9a-f]{32}$/;
const BYTES_LIMIT = 1024 * 1024;
const KEPT_MS = 28 * DAY_MS;

/**
 * Begins an order, if it has never begun before: the one thing that decides so, and durable before anything
 * else is even read. Gives back what the earlier start left where there was one.
 */
export async function beginOnce(
  clock: Clock,
  folder: string,
  nonce: string,
): Promise<UsedOrder | EarlierStart> {
  try {
    const file = await open(join(folder, nonce), "ax", 0o600);
    try {
      await file.appendFile(whole(bootLine(clock)));
      await file.sync();
      await syncDirectory(folder);
    } catch (error) {
      await file.close();
      throw error;
    }
    return usedOrder(file);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    return earlierStart(folder, nonce);
  }
}

/** Whether an order of this nonce began here, and is not forgotten. */
export async function wasBegun(folder: string, nonce: string): Promise<boolean> {
  if (!NONCE.test(nonce)) return false;
  try {
    return (await lstat(join(folder, nonce))).isFile();
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/**
 * Forgets orders that began more than 28 days ago and before this machine started: those are refused for their
 * boot id. Of this start none is forgotten, whatever the clock says: it may be set back to when they held. Returns how
 * many are left.
 */
export async function forgetUsed(clock: Clock, folder: string): Promise<number> {
  let left = 0;
  const before = clock.now() - Math.max(KEPT_MS, clock.uptimeMs());
  for (const name of await readdir(folder)) {
    if (!NONCE.test(name)) continue;
    const path = join(folder, name);
    const isOld = (await stat(path)).mtimeMs < before;
    if (isOld && !(await linesOf(folder, name)).includes(bootLine(clock)))
      await rm(path, { force: true });
    else left += 1;
  }
  return left;
}

function bootLine(clock: Clock): string {
  return `boot ${clock.bootId()}`;
}

function usedOrder(file: FileHandle): UsedOrder {
  const append = async (line: string): Promise<void> => {
    await file.appendFile(whole(line));
    await file.datasync();
  };
  return {
    note: (index) => append(String(index)),
    close: () => append(CLOSED),
    [Symbol.asyncDispose]: () => file.close(),
  };
}

async function earlierStart(folder: string, nonce: string): Promise<EarlierStart> {
  const lines = await linesOf(folder, nonce);
  const noted = lines.filter((line) => /^\d{1,5}$/.test(line)).map(Number);
  return { noted, closed: lines.includes(CLOSED) };
}

async function linesOf(folder: string, nonce: string): Promise<readonly string[]> {
  const bytes = await readTrusted(join(folder, nonce), [ownUser()], BYTES_LIMIT);
  if (!Buffer.isBuffer(bytes))
    throw new BewaardError("ORDER_REFUSED", `the note of order ${nonce} is ${bytes}`);
  const lines = bytes.toString().split("\n");
  return lines.filter((line) => line.endsWith(END)).map((line) => line.slice(0, -END.length));
}

/** A line that a power cut or a full disk left without its end was never acted on, nor is it part of the next. */
function whole(line: string): string {
  return `\n${line}${END}`;
}
