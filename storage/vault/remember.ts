import { BewaardError } from "#base/errors";
import { readFact, writeFact } from "../catalog/facts.ts";
import { shownMedium } from "../catalog/medium.ts";
import { text } from "../catalog/row.ts";
import type { Database } from "../catalog/sqlite.ts";
import type { Recognise } from "./directory.ts";

/**
 * Ties the catalog to the vault it first met: another one in its place has none of the versions the
 * catalog knows, and must not be taken for proof that they are gone.
 */
export function rememberedVault(database: Database): Recognise {
  return (id) =>
    database.transaction(async (sql) => {
      const known = await readFact(sql, "vault");
      const [medium] = await sql.all("select kind, serial from medium where identity = $id", {
        $id: id,
      });
      if (medium !== undefined) {
        const message = `${shownMedium({ kind: text(medium, "kind"), serial: text(medium, "serial") })} is in the place of the vault: a separate medium is no vault`;
        throw new BewaardError("VAULT_IDENTITY", message, { transient: true });
      }
      if (known === undefined) return writeFact(sql, "vault", id);
      if (known === id) return undefined;
      const message =
        "another vault is in the place of the one this box knows: is the right disk mounted?";
      throw new BewaardError("VAULT_IDENTITY", message, { transient: true });
    });
}
