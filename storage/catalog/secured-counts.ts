import type { Instant } from "#base/time";
import type { MediumName } from "./medium.ts";
import { moment, number, optional, text } from "./row.ts";
import type { Database } from "./sqlite.ts";

/** What waits for a separate medium. */
export interface Waiting {
  /** Held segments here without a separate copy, and the oldest request among them. */
  readonly toSecure: { readonly segments: number; readonly since: Instant | undefined };
  /**
   * Copies that nothing holds any more, by the medium they lie on, and since when; and what was being written to
   * another medium than the one that is configured: nobody can say what lies there.
   */
  readonly leaving: readonly {
    readonly medium: MediumName;
    readonly segments: number;
    readonly since: Instant;
  }[];
}

/** How much waits for which medium. */
export function countWaiting(database: Database, here: MediumName | undefined): Promise<Waiting> {
  return database.transaction(async (sql) => {
    const [held] = await sql.all(
      `select count(distinct segment_id) as segments, min(requested_at_ms) as since
       from hold indexed by hold_to_secure
       where secured_at_ms is null and released_at_ms is null
         and exists (select 1 from segment where id = hold.segment_id)`,
    );
    const leaving = await sql.all(
      `select medium.kind, medium.serial, count(*) as segments, min(
         coalesce((select max(released_at_ms) from hold where segment_id = copy.segment_id), changed_at_ms)
       ) as since
       from copy join medium on medium.id = copy.medium_id
       where copy.place = 'secured' and copy.state in ('leaving', 'writing')
         and (copy.state = 'leaving' or not (medium.kind = $kind and medium.serial = $serial))
       group by medium.id order by medium.id`,
      { $kind: here?.kind ?? "", $serial: here?.serial ?? "" },
    );
    return {
      toSecure: { segments: number(held, "segments"), since: optional(held, "since", moment) },
      leaving: leaving.map((row) => ({
        medium: { kind: text(row, "kind"), serial: text(row, "serial") },
        segments: number(row, "segments"),
        since: moment(row, "since"),
      })),
    };
  });
}
