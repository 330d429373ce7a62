import { rm } from "node:fs/promises";
import { diskError } from "#base/disk-errors";
import { BewaardError } from "#base/errors";
import { closeTruncated } from "../../storage/spool/close-truncated.ts";
import { type Intent, intentPath } from "../../storage/spool/intent.ts";
import { isGivenUp, isHandedOver, setApart } from "../set-apart.ts";
import type { RecordSealing } from "./sealing.ts";

/**
 * Closes what there is of a segment as truncated, and says so. Of one with no footage there is nothing to
 * say: on a full disk there is one each five seconds, and `camera-unkept` tells of them. What the disk
 * refuses now is kept in mind for `settleAbandoned`, and is tried again at the next start at the latest.
 * Returns false where nothing of it is kept.
 */
export async function abandonSegment(sealing: RecordSealing, intent: Intent): Promise<boolean> {
  const { abandoned, events, incoming } = sealing;
  abandoned.delete(intent.id);
  try {
    if (await isHandedOver(incoming, intent.id)) {
      await rm(intentPath(incoming, intent.id), { force: true });
    } else if ((await closeTruncated(incoming, intent)) === "closed") {
      events.truncatedClosed(intent.id, intent.device);
    } else return false;
  } catch (error) {
    const refused = diskError(error, "closing a cut off segment");
    if (!(refused instanceof BewaardError)) throw refused;
    abandoned.set(intent.id, intent);
  }
  return true;
}

/**
 * Tries again what the disk refused before: to be called when it has taken something. What is refused a week
 * after it was begun is handed to core to be quarantined, and so destroyed in time (invariant 3).
 */
export async function settleAbandoned(sealing: RecordSealing): Promise<void> {
  const refused = sealing.abandoned.values().toArray();
  for (const intent of refused) {
    await abandonSegment(sealing, intent);
    if (sealing.abandoned.has(intent.id) && isGivenUp(intent.id, sealing.clock.now()))
      await giveUp(sealing, intent);
  }
}

async function giveUp({ abandoned, incoming }: RecordSealing, { id }: Intent): Promise<void> {
  try {
    await setApart(incoming, id);
    abandoned.delete(id);
  } catch (error) {
    const refused = diskError(error, "giving up a cut off segment");
    if (!(refused instanceof BewaardError)) throw refused;
  }
}
