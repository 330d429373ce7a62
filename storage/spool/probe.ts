import { rm } from "node:fs/promises";
import { join } from "node:path";
import { diskError, isFull } from "#base/disk-errors";
import { syncDirectory, writeDurably } from "#base/durable";
import { incomingFolder, type Role, type Spool } from "./spool.ts";

/**
 * Writes a file, syncs it and removes it again, as what is sealed will be. A full disk has answered too: to make room on it
 * is the ring's.
 * @throws BewaardError SPOOL_IO (transient) when the disk takes nothing.
 */
export async function probeSpool(spool: Spool, role: Role): Promise<void> {
  // Where it may write, whoever it is. Of a producer a crash leaves nothing there that it does not remove.
  const folder = role === "core" ? join(spool.path, "lease") : incomingFolder(spool, role);
  const probe = join(folder, `${role}.probe`);
  try {
    await writeDurably(probe, `${role}\n`, 0o600);
    await rm(probe);
    await syncDirectory(folder);
  } catch (error) {
    if (!isFull(error)) throw diskError(error, "trying the spool");
  }
}
