import type { NodeId } from "#base/ids";
import { step } from "#base/step";
import { closedBatches } from "../storage/catalog/closed-batches.ts";
import { readFact, writeFact } from "../storage/catalog/facts.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { textBody } from "../storage/vault/body.ts";
import { rowsKey } from "../storage/vault/keys.ts";
import { FREELY, type Vault } from "../storage/vault/vault.ts";

/**
 * Puts the rows of every batch that an entry before `size` closed and that the vault does not have. An entry
 * says how many were stored or destroyed, the rows say which: without them nobody could make the catalog
 * again. Also those of a release that did not put them.
 */
export async function publishRows(
  database: Database,
  vault: Vault,
  node: NodeId,
  size: number,
  signal: AbortSignal,
): Promise<void> {
  const known = await database.transaction((sql) => readFact(sql, "rows"));
  for (let from = Number(known ?? 0); from < size; ) {
    const { to, lines } = await closedBatches(database, from, size);
    if (lines.length > 0) {
      const body = textBody(lines.map((line) => `${line}\n`).join(""));
      await vault.put(rowsKey(node, from, to), body, FREELY, signal);
      step("checkpoint.rows-put");
    }
    await database.transaction((sql) => writeFact(sql, "rows", String(to)));
    from = to;
  }
}
