import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** What the media device of a test is known by. */
export const SERIAL = "BC-0005";
/** What its events have in their fields, once it is paired. */
export const OF_IT = { DEVICE: "bc-0205" };

/** The folder that it shows, among those of a test. */
export const contentsIn = (folder: string): string => join(folder, "media-device");

export async function filesIn(folder: string): Promise<readonly string[]> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true });
  return all.filter((one) => one.isFile()).map((one) => one.name);
}
