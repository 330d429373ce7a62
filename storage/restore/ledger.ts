import { BewaardError } from "#base/errors";
import type { NodeId } from "#base/ids";
import { instantOf } from "#base/time";
import { number, text } from "../catalog/row.ts";
import type { Database, Sql } from "../catalog/sqlite.ts";
import { insertLeaves, openTree } from "../ledger/append.ts";
import type { Head } from "../ledger/checkpoint.ts";
import { rootAt } from "../ledger/prove.ts";
import { leafHash, type TreeNode } from "../ledger/tree.ts";
import { readText } from "../vault/body.ts";
import { endOf, entriesPrefix, firstEntryOf } from "../vault/keys.ts";
import type { Vault } from "../vault/vault.ts";
import { factsOf } from "./told.ts";

/** How much of a box's ledger was found in the vault. */
export interface RestoredLedger {
  /** The first so many entries are under a signed head, or were in a backup that was signed. */
  readonly signed: number;
  /** So many there are: what follows the head was on its way when the box was lost. No head covers it. */
  readonly entries: number;
}

const LEAVES_AT_ONCE = 2000;

/**
 * Copies the entries that the vault has and the catalog has not, all of them into an empty one, and makes their tree:
 * the first ones must have exactly the root of `head`. What follows the head without a gap is copied as well, because the object
 * with it stays in the vault, and two ledgers with other entries at one place would be a fork.
 * @throws BewaardError LEDGER_BROKEN when an entry is missing, or was changed.
 */
export async function restoreEntries(
  database: Database,
  vault: Vault,
  node: NodeId,
  head: Head,
  signal: AbortSignal,
): Promise<RestoredLedger> {
  let pending: string[] = [];
  const begun = await database.transaction(async (sql) => (await openTree(sql)).size);
  if (begun >= head.size) await database.transaction((sql) => requireRoot(sql, head));
  let size = begun;
  const flush = async (): Promise<void> => {
    const leaves = pending;
    pending = [];
    await database.transaction((sql) => insert(sql, leaves, size - leaves.length, head));
  };
  for await (const { key, from, lines } of objects(
    vault,
    node,
    Math.min(begun, head.size),
    signal,
  )) {
    if (from < begun)
      await database.transaction((sql) => requireSame(sql, from, lines.slice(0, begun - from)));
    if (from > size) {
      if (size >= head.size) break;
      throw broken(`entry ${size} of ${node} is not in the vault`);
    }
    for (const body of lines.slice(size - from)) {
      if (size >= head.size && !isEntry(body)) throw broken(`${key} has a line that is no entry`);
      pending.push(body);
      size += 1;
      if (pending.length === LEAVES_AT_ONCE || size === head.size) await flush();
    }
  }
  await flush();
  if (size < head.size) throw broken(`entry ${size} of ${node} is not in the vault`);
  return { signed: Math.max(head.size, begun), entries: size };
}

async function requireRoot(sql: Sql, head: Head): Promise<void> {
  if (!head.root.equals(await rootAt(sql, head.size)))
    throw broken(`the first ${head.size} entries here are not those that were signed`);
}

/** What lies in both places beyond the head is under no root: two ledgers with other entries there would be a fork. */
async function requireSame(sql: Sql, from: number, lines: readonly string[]): Promise<void> {
  const rows = await sql.all(
    "select seq, body from entry where seq >= $from and seq < $to order by seq",
    { $from: from, $to: from + lines.length },
  );
  for (const row of rows) {
    const seq = number(row, "seq");
    if (text(row, "body") !== lines[seq - from])
      throw broken(`entry ${seq} in the vault is another one than here`);
  }
}

/** All but those of the first `known` entries alone. */
async function* objects(vault: Vault, node: NodeId, known: number, signal: AbortSignal) {
  let last = "";
  for await (const { key, versionId } of vault.list(entriesPrefix(node), signal)) {
    const from = firstEntryOf(key);
    // Put once: of several versions the first is the one, whatever somebody wrote over it later.
    if (from === undefined || key === last) continue;
    last = key;
    if ((endOf(key) ?? 0) <= known) continue;
    const lines = (await readText(vault, key, versionId, signal)).split("\n").slice(0, -1);
    yield { key, from, lines };
  }
}

async function insert(
  sql: Sql,
  bodies: readonly string[],
  first: number,
  head: Head,
): Promise<void> {
  if (bodies.length === 0) return;
  const tree = await openTree(sql);
  const nodes: TreeNode[] = [];
  const rows = bodies.map((body, offset) => {
    nodes.push(...tree.append(leafHash(body)));
    if (!isEntry(body)) throw broken(`entry ${first + offset} cannot be read`);
    const { at, kind } = factsOf(body);
    return { seq: first + offset, kind, at: instantOf(at), body };
  });
  if (tree.size === head.size && !tree.root().equals(head.root))
    throw broken(`the first ${head.size} entries are not those that were signed`);
  await insertLeaves(sql, rows, nodes);
}

function isEntry(body: string): boolean {
  try {
    instantOf(factsOf(body).at);
    return true;
  } catch {
    return false;
  }
}

export function broken(message: string): BewaardError {
  return new BewaardError("LEDGER_BROKEN", message);
}
