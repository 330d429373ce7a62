import type { Instant } from "#base/time";
import type { Database } from "../catalog/sqlite.ts";
import { append } from "./append.ts";

/** Every start of core is in the ledger: what stopped in between shows (invariant 5). */
export async function recordStarted(
  database: Database,
  at: Instant,
  bootId: string,
): Promise<void> {
  await database.transaction((sql) =>
    append(sql, at, [{ kind: "bewaard.started", facts: { bootId } }]),
  );
}
