import type { ErrorCode } from "#base/errors";
import { type Instant, isoOf } from "#base/time";
import { append } from "../ledger/append.ts";
import { text } from "./row.ts";
import type { Database } from "./sqlite.ts";

export interface Quarantined {
  /** Name of its folder in quarantine/. */
  readonly id: string;
  readonly producer: string;
  /** Name of the manifest in incoming/, as bytes. */
  readonly name: Uint8Array;
  readonly code: ErrorCode;
  readonly arrivedAt: Instant;
  /** It may be footage: it is destroyed in time like any other (invariant 3). */
  readonly dueAt: Instant;
  /** Reckoned while time was not trusted: to be reckoned again. */
  readonly dueProvisional: boolean;
}

/** Records that something in incoming/ was not believed and lies in quarantine. */
export function recordQuarantined(
  database: Database,
  at: Instant,
  found: Quarantined,
): Promise<void> {
  return database.transaction(async (sql) => {
    const [known] = await sql.all("select id from quarantine where id = $id", { $id: found.id });
    if (known) return;
    const { id, producer, code, dueAt } = found;
    const facts = { id, producer, code, dueAt: isoOf(dueAt) };
    const entry = await append(sql, at, [{ kind: "manifest.quarantined", facts }]);
    await sql.run(
      `insert into quarantine (id, producer, name, code, arrived_at_ms, due_at_ms, due_provisional, entry_seq)
       values ($id, $producer, $name, $code, $arrivedAt, $dueAt, $provisional, $entry)`,
      {
        $id: id,
        $producer: producer,
        $name: found.name,
        $code: code,
        $arrivedAt: found.arrivedAt,
        $dueAt: dueAt,
        $provisional: found.dueProvisional ? 1 : 0,
        $entry: entry,
      },
    );
  });
}

/** Ids in quarantine whose term has ended. */
export function dueQuarantine(database: Database, now: Instant): Promise<readonly string[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      "select id from quarantine where destroyed_at_ms is null and due_provisional = 0 and due_at_ms <= $now limit 1000",
      { $now: now },
    );
    return rows.map((row) => text(row, "id"));
  });
}

export function recordQuarantineDestroyed(
  database: Database,
  at: Instant,
  id: string,
): Promise<void> {
  return database.transaction(async (sql) => {
    await append(sql, at, [{ kind: "quarantine.destroyed", facts: { id } }]);
    await sql.run("update quarantine set destroyed_at_ms = $at where id = $id", {
      $at: at,
      $id: id,
    });
  });
}
