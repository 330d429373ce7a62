import { z } from "zod";
import type { NodeId } from "#base/ids";
import { instantOf } from "#base/time";
import { number, text } from "../catalog/row.ts";
import type { Database, Sql } from "../catalog/sqlite.ts";
import { rootOver } from "../ledger/tree.ts";
import { readText } from "../vault/body.ts";
import { endOf, rowsPrefix } from "../vault/keys.ts";
import type { Vault } from "../vault/vault.ts";
import { broken } from "./ledger.ts";
import { factsOf } from "./told.ts";
import type { IsUnsigned } from "./unsigned.ts";

const line = z.object({
  batch: z.int(),
  entry: z.int(),
  openedAt: z.string().transform(instantOf),
  rows: z.array(z.string()),
});
type Line = z.output<typeof line>;

const row = z.object({ id: z.string() });

const KINDS: Readonly<Record<string, string>> = {
  "segments.stored": "stored",
  "segments.destroying": "destroying",
  "segments.destroyed": "destroyed",
  "copies.evicted": "evicted",
};

/**
 * Records the batches whose rows the vault has and that were closed by entry `from` or later. Only entries under a signed head count, and only rows that have
 * the root which their entry says: what was destroyed is no matter to take a stranger's word for.
 * @throws BewaardError LEDGER_BROKEN for rows that are others.
 */
export async function restoreBatches(
  database: Database,
  vault: Vault,
  node: NodeId,
  isUnsigned: IsUnsigned,
  from: number,
  signal: AbortSignal,
): Promise<number> {
  let count = 0;
  let last = "";
  for await (const { key, versionId } of vault.list(rowsPrefix(node), signal)) {
    if (key === last) continue;
    last = key;
    if ((endOf(key) ?? Number.POSITIVE_INFINITY) <= from) continue;
    const lines = (await readText(vault, key, versionId, signal)).split("\n").slice(0, -1);
    const batches = lines
      .map((one) => read(one, key))
      .filter(({ entry }) => entry >= from && !isUnsigned(entry));
    await database.transaction(async (sql) => {
      for (const batch of batches) if (await insert(sql, batch, key)) count += 1;
    });
  }
  return count;
}

function read(body: string, key: string): Line {
  try {
    return line.parse(JSON.parse(body));
  } catch {
    throw broken(`${key} has a line that is no batch`);
  }
}

/** False for one that another object had as well. */
async function insert(sql: Sql, { batch, entry, openedAt, rows }: Line, key: string) {
  const [closing] = await sql.all("select kind, body from entry where seq = $seq", { $seq: entry });
  const facts = closing && factsOf(text(closing, "body"));
  const kind = KINDS[facts?.kind ?? ""];
  const root = rootOver(rows);
  if (kind === undefined || facts?.["batch"] !== batch || facts["root"] !== root.toString("hex"))
    throw broken(`the rows of batch ${batch} in ${key} are not those of entry ${entry}`);
  const made = await sql.run(
    `insert into batch (id, kind, opened_at_ms, root, entry_seq)
     values ($batch, $kind, $openedAt, $root, $entry)
     on conflict (id) do update set root = excluded.root, entry_seq = excluded.entry_seq
     where batch.entry_seq is null and batch.kind = excluded.kind`,
    { $batch: batch, $kind: kind, $openedAt: openedAt, $root: root, $entry: entry },
  );
  if (made === 0) return false;
  const leaves = rows.map((body) => ({ id: row.parse(JSON.parse(body)).id, body }));
  await sql.run(
    `insert into batch_row (batch_id, position, segment_id, body)
     select $batch, key, value ->> 'id', value ->> 'body' from json_each($rows) where true
     on conflict (batch_id, position) do nothing`,
    { $batch: batch, $rows: JSON.stringify(leaves) },
  );
  await requireRoot(sql, batch, root);
  return true;
}

/** A batch that was still open in a backup has its first rows already: they must be the ones that were closed. */
async function requireRoot(sql: Sql, batch: number, root: Buffer): Promise<void> {
  const rows = await sql.all("select body from batch_row where batch_id = $id order by position", {
    $id: batch,
  });
  if (!rootOver(rows.map((one) => text(one, "body"))).equals(root))
    throw broken(`the rows of batch ${batch} here are not those in the vault`);
}

/** Batches whose entry is there and whose rows are not: of a release that did not put them. */
export async function countWithoutRows(sql: Sql): Promise<number> {
  const [found] = await sql.all(
    `select count(*) as count from entry
     where kind in (select value from json_each($kinds))
       and not exists (select 1 from batch where batch.entry_seq = entry.seq)`,
    { $kinds: JSON.stringify(Object.keys(KINDS)) },
  );
  return number(found, "count");
}
