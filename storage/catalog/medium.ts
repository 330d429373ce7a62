import { BewaardError, type ErrorCode } from "#base/errors";
import type { Instant } from "#base/time";
import type { Recognise } from "../vault/directory.ts";
import { readFact } from "./facts.ts";
import { number, optional, text } from "./row.ts";
import type { Database, Sql } from "./sqlite.ts";

/** A separate medium (*afzonderlijk medium*) as people name it: what it is, and what is written on it. */
export interface MediumName {
  readonly kind: string;
  readonly serial: string;
}

/**
 * Ties the name of a medium to the one that was first met under it. Another disk under that name is
 * refused, so is this one under another name, the vault itself, and one that was signed to be destroyed.
 */
export function rememberedMedium(
  database: Database,
  now: () => Instant,
  name: MediumName,
): Recognise {
  return (identity) =>
    database.transaction(async (sql) => {
      const why = await whyRefused(sql, name, identity);
      if (why !== undefined) throw new BewaardError(why.code, why.message, { transient: true });
      await sql.run(
        `insert into medium (kind, serial, identity, known_at_ms) values ($kind, $serial, $identity, $at)
         on conflict do nothing`,
        { $kind: name.kind, $serial: name.serial, $identity: identity, $at: now() },
      );
    });
}

interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}

function another(message: string): Refusal {
  return { code: "VAULT_IDENTITY", message };
}

async function whyRefused(
  sql: Sql,
  name: MediumName,
  identity: string,
): Promise<Refusal | undefined> {
  const shown = shownMedium(name);
  if ((await readFact(sql, "vault")) === identity) return another(`${shown} is the vault itself`);
  const rows = await sql.all(
    `select * from medium where identity = $identity or (kind = $kind and serial = $serial)`,
    { $identity: identity, $kind: name.kind, $serial: name.serial },
  );
  for (const row of rows) {
    const known = { kind: text(row, "kind"), serial: text(row, "serial") };
    if (text(row, "identity") !== identity) return another(`this is another medium than ${shown}`);
    if (shownMedium(known) !== shown)
      return another(`this medium is ${shownMedium(known)}, not ${shown}`);
    if (optional(row, "destroyed_at_ms", number) !== undefined)
      return {
        code: "MEDIUM_DESTROYED",
        message: `${shown} was signed to be destroyed, and is here`,
      };
  }
  return undefined;
}

export function shownMedium({ kind, serial }: MediumName): string {
  return `${kind} ${serial}`;
}

/** Whether two people have signed that the medium of this name is destroyed: nothing goes there any more. */
export function isDestroyed(database: Database, { kind, serial }: MediumName): Promise<boolean> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      "select 1 from medium where kind = $kind and serial = $serial and destroyed_at_ms is not null",
      { $kind: kind, $serial: serial },
    );
    return rows.length > 0;
  });
}

/** The number of a medium this box has met; undefined for one it has not. */
export async function mediumNumber(
  sql: Sql,
  { kind, serial }: MediumName,
): Promise<number | undefined> {
  const [row] = await sql.all("select id from medium where kind = $kind and serial = $serial", {
    $kind: kind,
    $serial: serial,
  });
  return row && number(row, "id");
}
