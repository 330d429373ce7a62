import type { Database } from "../catalog/sqlite.ts";

/**
 * A locked bucket has locked each segment until so long after its due moment (a negative span), and destroys it
 * then by its own rule: recorded for those of which no row says so. Held ones as well, for their release.
 */
export function restoreLocks(database: Database, afterDueMs: number): Promise<number> {
  return database.transaction((sql) =>
    sql.run(
      `update segment set locked_until_ms = due_at_ms + $span
       where state = 'stored' and due_provisional = 0 and locked_until_ms is null
         and due_at_ms + $span > 0`,
      { $span: afterDueMs },
    ),
  );
}
