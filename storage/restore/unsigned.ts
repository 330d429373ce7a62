import { z } from "zod";
import { text } from "../catalog/row.ts";
import type { Sql } from "../catalog/sqlite.ts";
import { factsOf } from "./told.ts";

const rebuilt = z.object({ signed: z.int(), entries: z.int() });

/** Whether an entry was found beside its ledger without a head of its box over it, now or at an earlier rebuild. */
export type IsUnsigned = (seq: number) => boolean;

/**
 * Entries that were on their way when a box was lost are kept as they were found, and the next box signs
 * over them. That does not make their word good: what they say was destroyed, or released, is not believed.
 */
export async function unsignedEntries(sql: Sql, signed: number): Promise<IsUnsigned> {
  // Only what is signed itself may say which others are not: anybody can put entries beyond the head.
  const rows = await sql.all(
    "select body from entry where kind = 'catalog.rebuilt' and seq < $signed",
    { $signed: signed },
  );
  const ranges = rows.map((row) => rebuilt.parse(factsOf(text(row, "body"))));
  return (seq) =>
    seq >= signed || ranges.some(({ signed: from, entries }) => seq >= from && seq < entries);
}
