import { text } from "./row.ts";
import type { Sql } from "./sqlite.ts";

/** Names of the small facts this box remembers about itself. */
export type FactName =
  | "alarms"
  | "backup"
  | "clock"
  | "config"
  | "desk"
  | "rebuilt"
  | "residency"
  | "rows"
  | "seen"
  | "spool"
  | "swept"
  | "vault";

export async function readFact(sql: Sql, name: FactName): Promise<string | undefined> {
  const [row] = await sql.all("select value from fact where name = $name", { $name: name });
  return row === undefined ? undefined : text(row, "value");
}

export async function writeFact(sql: Sql, name: FactName, value: string): Promise<void> {
  await sql.run(
    `insert into fact (name, value) values ($name, $value)
     on conflict (name) do update set value = excluded.value`,
    { $name: name, $value: value },
  );
}
