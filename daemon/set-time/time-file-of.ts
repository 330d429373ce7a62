import { readProfile } from "../../config/load.ts";
import { readBodycams } from "../../storage/catalog/bodycams.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import type { TimeFileOf } from "./time-setter.ts";

/** Of paired cameras, as their profile is now; those of the configuration are folders, which nobody writes to. */
export function timeFilesOf(database: Database): TimeFileOf {
  return async (device) => {
    const paired = await database.transaction(readBodycams);
    const one = paired.find((camera) => camera.device === device);
    if (one === undefined || one.retiredAt !== undefined) return undefined;
    return (await readProfile(one.profile)).set_time;
  };
}
