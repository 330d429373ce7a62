import type { Instant } from "#base/time";
import { moment, optional } from "./row.ts";
import type { Database } from "./sqlite.ts";

/** After weeks without the vault there are millions: those that began first have waited as long as any. */
const LOOKED_AT = 1000;

/**
 * When the footage that has waited longest for the vault came, of the thousand that began first; undefined when none waits. Left
 * out is what may be in the spool only (overdue by an untrusted clock), as `segmentsToStore` leaves it out.
 */
export function oldestWaiting(database: Database): Promise<Instant | undefined> {
  return database.transaction(async (sql) => {
    const [row] = await sql.all(
      `select min(arrived_at_ms) as oldest from (
         select arrived_at_ms from segment
         where state = 'sealed' and (time_trust <> 'overdue' or exists (
           select 1 from hold where segment_id = segment.id and released_at_ms is null
         ))
         order by started_at_ms, id limit ${LOOKED_AT}
       )`,
    );
    return optional(row, "oldest", moment);
  });
}
