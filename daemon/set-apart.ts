import { access, rename } from "node:fs/promises";
import { join } from "node:path";
import { decodeTime } from "ulid";
import { writeDurably } from "#base/durable";
import { systemCode } from "#base/errors";
import { DAY_MS, type Instant } from "#base/time";
import { HANDED_OVER } from "../storage/seal/handed-over.ts";
import { sealedPath } from "../storage/spool/incoming.ts";
import { intentPath } from "../storage/spool/intent.ts";

/** What a disk refuses for so long it will not let settle. */
const GIVEN_UP_AFTER_MS = 7 * DAY_MS;

/** Whether what was begun under `id` can no longer be waited for: it must be gone in time (invariant 3). */
export function isGivenUp(id: string, now: Instant): boolean {
  return now - decodeTime(id) >= GIVEN_UP_AFTER_MS;
}

/**
 * Hands over what was begun under `id`, of which nobody knows what it is, or can read it. Core will not believe
 * it as a manifest, and quarantines it with its file, to be destroyed in time. What is handed over already
 * stays as it is.
 */
export async function setApart(incoming: string, id: string): Promise<void> {
  if (await isHandedOver(incoming, id)) return;
  await renameIfThere(`${sealedPath(incoming, id)}.partial`, sealedPath(incoming, id));
  const manifest = join(incoming, `${id}.json`);
  if (!(await renameIfThere(intentPath(incoming, id), manifest))) {
    await writeDurably(manifest, "{}\n", HANDED_OVER);
  }
}

/** The manifest may have its name although writing it failed: the fact is whole then. */
export async function isHandedOver(incoming: string, id: string): Promise<boolean> {
  try {
    await access(join(incoming, `${id}.json`));
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

async function renameIfThere(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}
