import type { Instant } from "#base/time";
import { IS_WANTED, type Wanted } from "./copies.ts";
import { moment, optional } from "./row.ts";
import type { Database } from "./sqlite.ts";

/** After weeks without the vault there are millions: those that began first have waited as long as any. */
const LOOKED_AT = 1000;

/**
 * When the footage that has waited longest for the vault came, of the thousand that began first; undefined when none waits. Left
 * out is what the vault is not to have, as `segmentsToStore` leaves it out.
 */
export function oldestWaiting(
  database: Database,
  { dueAfter, provisional }: Omit<Wanted, "except">,
): Promise<Instant | undefined> {
  return database.transaction(async (sql) => {
    const [row] = await sql.all(
      `select min(arrived_at_ms) as oldest from (
         select arrived_at_ms from segment
         where state = 'sealed' and ${IS_WANTED}
         order by started_at_ms, id limit ${LOOKED_AT}
       )`,
      { $dueAfter: dueAfter, $provisional: provisional ? 1 : 0 },
    );
    return optional(row, "oldest", moment);
  });
}
