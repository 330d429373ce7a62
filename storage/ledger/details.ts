import type { Instant } from "#base/time";
import type { Database } from "../catalog/sqlite.ts";

/** Erases personal detail whose own term has ended; its commitment stays and verifies. */
export function eraseDetails(database: Database, now: Instant): Promise<number> {
  return database.transaction((sql) =>
    sql.run("delete from detail where erase_after_ms <= $now", { $now: now }),
  );
}
