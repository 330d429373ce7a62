import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { diskError } from "#base/disk-errors";
import { syncDirectory } from "#base/durable";
import { BewaardError, systemCode } from "#base/errors";
import type { RecordSealing } from "./sealing.ts";

/**
 * Does `work` in the recorder's folder. Where somebody has removed that while the recorder ran it is made
 * again, which is said: nothing would be recorded any more. Not where the spool itself is gone: what is
 * made in the place of a disk that is not mounted is hidden by it later.
 */
export async function inFolder(
  { incoming, events }: Pick<RecordSealing, "incoming" | "events">,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof BewaardError && systemCode(error.cause) === "ENOENT")) throw error;
    if (await makeAgain(incoming)) events.folderMade();
    await work();
  }
}

/** False where another camera has done it a moment ago. */
async function makeAgain(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    const code = systemCode(error);
    if (code === "EEXIST") return false;
    // Where each part is a user of its own, what it lies in is core's.
    if (code === "EACCES") {
      const message = "incoming/record is gone, and root's to make: bewaard setup --parts";
      throw new BewaardError("SPOOL_IO", message, { transient: true, cause: error });
    }
    throw diskError(error, "making the recorder's folder again");
  }
  await syncDirectory(dirname(folder));
  return true;
}
