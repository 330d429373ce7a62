import { lstat, unlink } from "node:fs/promises";
import { systemCode } from "#base/errors";
import { below, namesIn, type SafeFolder } from "./safe-folder.ts";
import { wasBegun } from "./used.ts";

/** No file that sets a clock is longer than an order may make it; what is longer is somebody's footage. */
export const TIME_FILE_BYTES = 4096n;

const UNFINISHED = /^([0-9a-f]{32})\.tmp$/;

/** What the file that sets a clock is called until it is whole: a name that nothing else has. */
export function unfinishedName(nonce: string): Buffer {
  return Buffer.from(`${nonce}.tmp`);
}

/**
 * Removes from a writable folder what earlier orders of ours left there when they were cut off; not what has the name of
 * the order `nonce`, which has made nothing yet. What is in no way ours stays: another box's, or of an order forgotten since.
 */
export async function clearUnfinished(
  folder: SafeFolder,
  used: string,
  nonce: string,
): Promise<void> {
  const found: Buffer[] = [];
  for await (const name of namesIn(folder)) {
    const [, of] = UNFINISHED.exec(name.toString("latin1")) ?? [];
    if (of !== undefined && of !== nonce && (await wasBegun(used, of))) found.push(name);
  }
  for (const name of found) await removeSmall(folder, name);
}

/** One that cannot be removed is there for the next order. */
async function removeSmall(folder: SafeFolder, name: Buffer): Promise<void> {
  try {
    const stats = await lstat(below(folder, name), { bigint: true });
    const isPlain = stats.isFile() && stats.dev === folder.dev && stats.nlink === 1n;
    if (isPlain && stats.size <= TIME_FILE_BYTES) await unlink(below(folder, name));
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  }
}
