import type { Instant } from "#base/time";
import { number } from "./row.ts";
import type { Database } from "./sqlite.ts";

/** Of more than these the mean is taken for all: adding up millions would hold up everybody else. */
const LOOKED_AT = 1000;

/**
 * Bytes of footage in the ring that the vault does not have: what may not be overwritten. Exact for a thousand segments; of
 * more it is reckoned from the mean of those that began first.
 */
export function unstoredBytes(database: Database): Promise<number> {
  return database.transaction(async (sql) => {
    const [row] = await sql.all(
      `select coalesce(avg(ciphertext_bytes), 0)
         * coalesce((select count from segment_count where state = 'sealed'), 0) as bytes
       from (select ciphertext_bytes from segment where state = 'sealed'
             order by started_at_ms, id limit ${LOOKED_AT})`,
    );
    return number(row, "bytes");
  });
}

/** Bytes of footage that began from `from` until `until`: their number, times the mean of the newest thousand. */
export function recordedBytes(database: Database, from: Instant, until: Instant): Promise<number> {
  return database.transaction(async (sql) => {
    const [row] = await sql.all(
      `select coalesce(avg(ciphertext_bytes), 0) * (
         select count(*) from segment where started_at_ms >= $from and started_at_ms < $until
       ) as bytes
       from (select ciphertext_bytes from segment where started_at_ms >= $from and started_at_ms < $until
             order by started_at_ms desc limit ${LOOKED_AT})`,
      { $from: from, $until: until },
    );
    return number(row, "bytes");
  });
}
