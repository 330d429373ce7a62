import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { BewaardError, systemCode } from "#base/errors";
import { factText, parsedAs, recorded } from "./manifest.ts";

/**
 * What a producer is about to seal, written beside `<id>.age.partial` before its first byte and removed
 * once the manifest has its name. After a crash it says what the cut-off file is, and of which source.
 */
const intent = z.strictObject({
  ...recorded,
  bewaard: z.literal("intent/1"),
  /** Length of the file on the card when sealing began; null where there is no file. */
  sourceBytes: z.int().min(0).nullable(),
});

export type Intent = z.output<typeof intent>;

export function intentPath(folder: string, id: string): string {
  return join(folder, `${id}.intent`);
}

export function intentText(one: Intent): string {
  return factText(one);
}

/**
 * The intent of `id`, or undefined when there is none.
 * @throws BewaardError MANIFEST_LIES when it is not as docs/format.md says.
 */
export async function readIntent(folder: string, id: string): Promise<Intent | undefined> {
  try {
    const found = parsedAs(intent, await readFile(intentPath(folder, id)));
    if (found.id === id) return found;
    throw new BewaardError("MANIFEST_LIES", "id is not the file's name");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
