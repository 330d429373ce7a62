import { z } from "zod";
import { number, text } from "../catalog/row.ts";
import type { Sql } from "../catalog/sqlite.ts";
import { factsOf } from "./told.ts";
import type { IsUnsigned } from "./unsigned.ts";

const changed = z.object({
  sha256: z.string(),
  approval: z.object({ reference: z.string() }).nullish(),
});

/**
 * The number of the last desk entry that the ledger says was obeyed, or refused; 0 for none. Each was obeyed
 * after all before it: from there the chain is to be read on, and nothing is obeyed twice.
 */
export async function deskObeyedTo(sql: Sql, isUnsigned: IsUnsigned): Promise<number> {
  const rows = await sql.all(
    `select seq, body from entry
     where kind in ('hold.requested', 'hold.too-late', 'hold.released', 'release.refused',
       'medium.destroyed', 'medium.refused')`,
  );
  const numbers = rows
    .filter((row) => !isUnsigned(number(row, "seq")))
    .flatMap((row) => factsOf(text(row, "body"))["desk"])
    .map(Number);
  return Math.max(0, ...numbers.filter(Number.isSafeInteger));
}

/** Lets a catalog that came out of a backup forget what was true of the lost box only: its spool, its last backup. */
export async function forgetBox(sql: Sql): Promise<void> {
  await sql.run("delete from fact where name in ('backup', 'spool')");
}

/** What the configuration was by its last entry, and the approvals that have served. */
export async function lastConfiguration(
  sql: Sql,
  isUnsigned: IsUnsigned,
): Promise<{ readonly sha256: string; readonly approvals: readonly string[] } | undefined> {
  const rows = await sql.all("select seq, body from entry where kind = 'config.changed'");
  const all = rows
    .filter((row) => !isUnsigned(number(row, "seq")))
    .map((row) => changed.parse(factsOf(text(row, "body"))));
  const last = all.at(-1);
  return (
    last && {
      sha256: last.sha256,
      approvals: all.flatMap(({ approval }) => (approval ? [approval.reference] : [])),
    }
  );
}
