import { type Instant, isoOf } from "#base/time";
import { append } from "../ledger/append.ts";
import { number } from "./row.ts";
import type { Database, Sql } from "./sqlite.ts";

/** Footage that is older than its term and that nothing holds. */
export interface Overdue {
  /** A segment, a key in the vault or under medium/, a name in incoming/ or quarantine/. Never a name on a card. */
  readonly what: string;
  readonly place: "spool" | "vault" | "secured" | "quarantine" | "incoming" | "unfinished";
  /** When its term ended. */
  readonly since: Instant;
}

/** Who looked: this box at what it has, or the sweep at the vault. */
export type Looked = "box" | "vault";

/** So many in one transaction: each is an entry of its own, and what is docked meanwhile waits. */
const AT_ONCE = 100;

/**
 * Records each of `found` that is not known, with its ledger entry and the moment of its discovery: once.
 * Returns those that are new.
 */
export async function recordBreaches(
  database: Database,
  at: Instant,
  looked: Looked,
  found: readonly Overdue[],
): Promise<readonly Overdue[]> {
  const fresh: Overdue[] = [];
  for (let from = 0; from < found.length; from += AT_ONCE) {
    const some = found.slice(from, from + AT_ONCE);
    fresh.push(...(await database.transaction((sql) => recordSome(sql, at, looked, some))));
  }
  return fresh;
}

async function recordSome(
  sql: Sql,
  at: Instant,
  looked: Looked,
  found: readonly Overdue[],
): Promise<readonly Overdue[]> {
  const fresh: Overdue[] = [];
  for (const one of found) if (await recordOne(sql, at, looked, one)) fresh.push(one);
  return fresh;
}

async function recordOne(
  sql: Sql,
  at: Instant,
  looked: Looked,
  { what, place, since }: Overdue,
): Promise<boolean> {
  const again = await sql.run(
    "update breach set ended_at_ms = null where looked = $looked and what = $what",
    { $looked: looked, $what: what },
  );
  if (again > 0) return false;
  const facts = { what, place, since: isoOf(since), discoveredAt: isoOf(at) };
  const entry = await append(sql, at, [{ kind: "breach.overdue", facts }]);
  await sql.run(
    `insert into breach (looked, what, place, since_ms, discovered_at_ms, entry_seq)
     values ($looked, $what, $place, $since, $at, $entry)`,
    { $looked: looked, $what: what, $place: place, $since: since, $at: at, $entry: entry },
  );
  return true;
}

/** Says that a look is over: of what it knew it saw `found`, and the rest has an end, but not in places it could not see. */
export function endBreaches(
  database: Database,
  at: Instant,
  looked: Looked,
  found: readonly string[],
  unseen: readonly Overdue["place"][],
): Promise<number> {
  return database.transaction((sql) =>
    sql.run(
      `update breach indexed by breach_open set ended_at_ms = $at where looked = $looked and ended_at_ms is null
         and what not in (select value from json_each($found))
         and place not in (select value from json_each($unseen))`,
      {
        $at: at,
        $looked: looked,
        $found: JSON.stringify(found),
        $unseen: JSON.stringify(unseen),
      },
    ),
  );
}

/** How many breaches last. */
export function countBreaches(database: Database): Promise<number> {
  return database.transaction(async (sql) => {
    const [row] = await sql.all("select count(*) as count from breach where ended_at_ms is null");
    return number(row, "count");
  });
}
