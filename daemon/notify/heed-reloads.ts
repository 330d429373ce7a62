import { BewaardError } from "#base/errors";
import type { Config } from "../../config/schema.ts";
import type { Events } from "../events.ts";
import type { Attending } from "./attend.ts";
import type { PartRun } from "./part-run.ts";

/**
 * Reads the configuration anew each time that it is asked to, until `asked` ends, and has `parts` go by it. One that is
 * not valid is refused, and said; all go on by the one they have.
 */
export async function heedReloads(
  events: Events,
  attending: Attending,
  parts: readonly Pick<PartRun, "goBy">[],
  read: () => Promise<Config>,
  asked: AsyncIterable<void>,
): Promise<void> {
  for await (const _ of asked) {
    await attending.reload(async () => {
      try {
        const config = await read();
        for (const part of parts) part.goBy(config);
      } catch (error) {
        if (!(error instanceof BewaardError)) throw error;
        events.reloadRefused(error);
      }
    });
  }
}
