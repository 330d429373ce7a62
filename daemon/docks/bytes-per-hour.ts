import { HOUR_MS, type Instant, MINUTE_MS } from "#base/time";
import type { CardFile } from "../../drivers/bodycam/card.ts";
import { type CameraProfile, sorter } from "../../drivers/bodycam/profile.ts";
import { recordingTimes } from "../recording-times.ts";

/** Opening a container costs a process: for a number on a screen it is not asked. */
const UNOPENED = async (): Promise<undefined> => undefined;

/**
 * What an hour of recording takes, by the recordings on the card: how long each lasted as its name and its last
 * change tell, without opening it. Null where those tell of less than a minute together.
 */
export async function bytesPerHour(
  now: Instant,
  profile: CameraProfile,
  files: readonly CardFile[],
): Promise<number | null> {
  const sort = sorter(profile);
  let bytes = 0;
  let ms = 0;
  for (const file of files) {
    if (sort(file.path) !== "media") continue;
    const { startedAt, endedAt } = await recordingTimes(now, UNOPENED, profile, file, file.path);
    if (endedAt === null || endedAt <= startedAt) continue;
    bytes += file.bytes;
    ms += endedAt - startedAt;
  }
  return ms < MINUTE_MS || bytes === 0 ? null : (bytes / ms) * HOUR_MS;
}
