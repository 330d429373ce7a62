import type { Clock } from "#base/time";
import { countStates } from "../../storage/catalog/due.ts";
import { spoolBytes } from "../../storage/catalog/evict.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import { timeTrust } from "../trust.ts";

/** How core does: what waits for the vault, and how full the ring is. A few rows of the catalog, no sweep. */
export async function coreLine(
  clock: Clock,
  database: Database,
  limitBytes: number,
): Promise<string> {
  const { sealed = 0 } = await countStates(database);
  const full = Math.round((100 * (await spoolBytes(database))) / limitBytes);
  const { trusted } = await timeTrust(clock, database);
  return `backlog ${sealed}; ring ${full} %${trusted ? "" : "; time not trusted"}`;
}
