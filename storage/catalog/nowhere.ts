import { parseSegmentId, type SegmentId } from "#base/ids";
import { number, text } from "./row.ts";
import type { Database } from "./sqlite.ts";

/** Some place has the bytes of this row of `segment`. A sealed one of which none has was in a spool that was lost. */
export const IS_SOMEWHERE = `exists (
  select 1 from copy where segment_id = segment.id and state = 'present')`;

/** What is held, and whose bytes are nowhere. */
export interface HeldNowhere {
  readonly count: number;
  /** The first of them. */
  readonly segments: readonly SegmentId[];
}

/** Held footage that was lost with its box: a catalog that was put back has its row, and no place has its bytes. */
export function heldNowhere(database: Database, atMost: number): Promise<HeldNowhere> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `select segment.id, count(*) over () as count from segment
       where id in (select segment_id from hold indexed by hold_segment where released_at_ms is null)
         and state = 'sealed' and not ${IS_SOMEWHERE}
       order by segment.id limit $limit`,
      { $limit: atMost },
    );
    const [first] = rows;
    return {
      count: first === undefined ? 0 : number(first, "count"),
      segments: rows.map((row) => parseSegmentId(text(row, "id"))),
    };
  });
}
