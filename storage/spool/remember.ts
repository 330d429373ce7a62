import { BewaardError } from "#base/errors";
import { readFact, writeFact } from "../catalog/facts.ts";
import type { Database } from "../catalog/sqlite.ts";
import type { Spool } from "./spool.ts";

/**
 * Ties the catalog to the spool it was first opened with.
 * @throws BewaardError SPOOL_IDENTITY when another spool is mounted in its place.
 */
export function rememberSpool(database: Database, spool: Spool): Promise<void> {
  return database.transaction(async (sql) => {
    const known = await readFact(sql, "spool");
    if (known === undefined) return writeFact(sql, "spool", spool.id);
    if (known === spool.id) return undefined;
    throw new BewaardError(
      "SPOOL_IDENTITY",
      `${spool.path} is another spool than the one this catalog knows: is the right disk mounted?`,
    );
  });
}
