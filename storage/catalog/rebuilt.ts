import { z } from "zod";
import type { Instant } from "#base/time";
import { readFact, writeFact } from "./facts.ts";
import type { Database, Sql } from "./sqlite.ts";

// What a catalog remembers of having been made from the vault.

const rebuilt = z.strictObject({
  atMs: z.int(),
  /** Its first so many entries are under a head of the box before. */
  signed: z.int(),
  /** Whose head that was: the node's key of then, and those before it. */
  signers: z.array(z.string()),
  /** Nothing was destroyed yet: the vault is to agree first, and the desk's chain to be read to its end. */
  waits: z.boolean(),
});
type Rebuilt = z.output<typeof rebuilt>;

/** Undefined for a catalog that was never made again. */
export async function readRebuilt(sql: Sql): Promise<Rebuilt | undefined> {
  const text = await readFact(sql, "rebuilt");
  return text === undefined ? undefined : rebuilt.parse(JSON.parse(text));
}

export function rebuiltText(at: Instant, signed: number, signers: Iterable<string>): string {
  return JSON.stringify({ atMs: at, signed, signers: [...signers], waits: true });
}

/**
 * Whether this catalog was made from the vault and may destroy nothing yet: holds that were asked for since its
 * last head are known once the desk's chain was read to its end, and no sooner (invariant 4).
 */
export async function waitsForConsistency(database: Database): Promise<boolean> {
  return (await database.transaction(readRebuilt))?.waits ?? false;
}

/** The vault agrees and the desk was read: this box goes on as any other. */
export function recordConsistent(database: Database): Promise<void> {
  return database.transaction(async (sql) => {
    const known = await readRebuilt(sql);
    if (known) await writeFact(sql, "rebuilt", JSON.stringify({ ...known, waits: false }));
  });
}
