import type { Instant } from "#base/time";
import { IS_WANTED, type Wanted } from "./copies.ts";
import { moment, number, optional } from "./row.ts";
import type { Database } from "./sqlite.ts";

/** After weeks without the vault there are millions: those that began first have waited as long as any. */
const LOOKED_AT = 1000;

/** When the footage came that has waited longest for the vault. */
export interface Oldest {
  readonly at: Instant;
  /** By the machine's uptime, of what came since it was started as `bootId` says. */
  readonly uptimeMs: number | undefined;
  /** Of what came before that. */
  readonly beforeAt: Instant | undefined;
}

/**
 * What waits for the vault since when, of the thousand that began first; undefined when nothing does. Left out is what the
 * vault is not to have, as `segmentsToStore` leaves it out.
 */
export function oldestWaiting(
  database: Database,
  { dueAfter, provisional }: Omit<Wanted, "except">,
  bootId: string,
): Promise<Oldest | undefined> {
  return database.transaction(async (sql) => {
    const [row] = await sql.all(
      `select min(arrived_at_ms) as oldest,
         min(case when arrived_boot_id = $boot then arrived_uptime_ms end) as uptime,
         min(case when arrived_boot_id <> $boot then arrived_at_ms end) as before
       from (
         select arrived_at_ms, arrived_boot_id, arrived_uptime_ms from segment
         where state = 'sealed' and ${IS_WANTED}
         order by started_at_ms, id limit ${LOOKED_AT}
       )`,
      { $dueAfter: dueAfter, $provisional: provisional ? 1 : 0, $boot: bootId },
    );
    const at = optional(row, "oldest", moment);
    if (at === undefined) return undefined;
    return {
      at,
      uptimeMs: optional(row, "uptime", number),
      beforeAt: optional(row, "before", moment),
    };
  });
}
