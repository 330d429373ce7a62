import { type Instant, isoOf } from "#base/time";
import type { BatchKind, BatchRow } from "../../storage/catalog/batches.ts";
import { number, text } from "../../storage/catalog/row.ts";
import type { Database, Sql } from "../../storage/catalog/sqlite.ts";
import { openTree } from "../../storage/ledger/append.ts";
import { canonical, type Json } from "../../storage/ledger/canonical.ts";
import { leafHash, rootOver, type TreeNode } from "../../storage/ledger/tree.ts";

// The same rows and the same tree as storage/ledger/append.ts and storage/catalog/batches.ts write, thousands a
// statement: `bewaard verify` finds nothing to say of them, and three million segments take minutes.

/** Settings for the making only: nobody minds losing what is being made. They end with the connection. */
export function hurry(database: Database): Promise<void> {
  // Neither pragma works inside a transaction.
  const pragmas =
    "pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -400000";
  return database.transaction((sql) => sql.script(`commit; ${pragmas}; begin immediate`));
}

/** Runs `body` while no trigger counts or forbids anything; then they are all there again. */
export async function withoutTriggers<T>(sql: Sql, body: () => Promise<T>): Promise<T> {
  const triggers = await sql.all("select name, sql from sqlite_schema where type = 'trigger'");
  await sql.script(triggers.map((row) => `drop trigger ${text(row, "name")};`).join("\n"));
  const result = await body();
  await sql.script(triggers.map((row) => `${text(row, "sql")};`).join("\n"));
  return result;
}

/** Grows ledger and batches in memory; `flush` writes what has grown. */
export interface Bulk {
  /** Returns its sequence number. */
  entry(at: Instant, kind: string, facts: Readonly<Record<string, Json>>): number;
  /** A batch that is closed at once. */
  batch(kind: BatchKind, at: Instant, rows: readonly BatchRow[]): void;
  flush(): Promise<void>;
}

export async function openBulk(sql: Sql): Promise<Bulk> {
  const tree = await openTree(sql);
  const [next] = await sql.all("select coalesce(max(id) + 1, 1) as id from batch");
  let batchId = number(next, "id");
  let entries: unknown[] = [];
  let nodes: TreeNode[] = [];
  let batches: unknown[] = [];
  let rows: unknown[] = [];

  function entry(at: Instant, kind: string, facts: Readonly<Record<string, Json>>): number {
    const seq = tree.size;
    const body = canonical({ ...facts, kind, at: isoOf(at) });
    entries.push([seq, at, kind, body]);
    for (const node of tree.append(leafHash(body))) nodes.push(node);
    return seq;
  }

  return {
    entry,
    batch(kind, at, changed) {
      const bodies = changed.map(({ id, facts }) => canonical({ ...facts, id, at: isoOf(at) }));
      for (const [position, body] of bodies.entries())
        rows.push([batchId, position, changed[position]?.id, body]);
      const root = rootOver(bodies).toString("hex");
      const facts = { batch: batchId, rows: bodies.length, root };
      batches.push([batchId, kind, at, root, entry(at, `segments.${kind}`, facts)]);
      batchId += 1;
    },
    async flush() {
      await insert(sql, "entry (seq, at_ms, kind, body)", "?0, ?1, ?2, ?3", entries);
      await insertNodes(sql, nodes);
      const batch = "batch (id, kind, opened_at_ms, root, entry_seq)";
      await insert(sql, batch, "?0, ?1, ?2, unhex(?3), ?4", batches);
      await insert(sql, "batch_row (batch_id, position, segment_id, body)", "?0, ?1, ?2, ?3", rows);
      [entries, nodes, batches, rows] = [[], [], [], []];
    },
  };
}

/** One row for each array of `rows`; `?n` in `values` is its n-th element. */
export async function insert(
  sql: Sql,
  into: string,
  values: string,
  rows: readonly unknown[],
): Promise<void> {
  const selected = values.replaceAll(/\?(\d)/g, "(value ->> $1)");
  await sql.run(`insert into ${into} select ${selected} from json_each($rows)`, {
    $rows: JSON.stringify(rows),
  });
}

async function insertNodes(sql: Sql, nodes: readonly TreeNode[]): Promise<void> {
  await sql.run(
    `insert into tree_node (level, position, hash)
     select value ->> 0, value ->> 1, substr($hashes, key * 32 + 1, 32) from json_each($nodes)`,
    {
      $nodes: JSON.stringify(nodes.map(({ level, position }) => [level, position])),
      $hashes: Buffer.concat(nodes.map(({ hash }) => hash)),
    },
  );
}
