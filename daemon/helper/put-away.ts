import { rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "#base/errors";
import { alone } from "./alone.ts";
import type { Mounts } from "./mounts.ts";
import type { HelperPlaces } from "./places.ts";
import { recordPath } from "./record-path.ts";

/**
 * Takes away what was mounted of a card that has gone, and its record. Harmless to repeat. Loads no library: it is
 * started for each camera of a shift that goes out at once.
 */
export async function putAway(mounts: Mounts, places: HelperPlaces, name: string): Promise<void> {
  const path = recordPath(places.cards, name);
  await takeDown(mounts, join(places.media, name));
  await using _ = await alone(places.cards);
  await rm(path, { force: true });
}

/** Takes away what is mounted at `at`, and the folder. */
export async function takeDown(mounts: Mounts, at: string): Promise<void> {
  await mounts.unmount(at);
  // Never what lies in it: were it still a card, that would be footage.
  await rmdir(at).catch((error: unknown) => {
    if (systemCode(error) !== "ENOENT") throw error;
  });
}
