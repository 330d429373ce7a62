import { BewaardError } from "#base/errors";
import type { NodeId } from "#base/ids";
import { instantOf } from "#base/time";
import type { Database, Sql } from "../catalog/sqlite.ts";
import { insertLeaves, openTree } from "../ledger/append.ts";
import type { Head } from "../ledger/checkpoint.ts";
import { leafHash, type TreeNode } from "../ledger/tree.ts";
import { readText } from "../vault/body.ts";
import { entriesPrefix, firstEntryOf } from "../vault/keys.ts";
import type { Vault } from "../vault/vault.ts";
import { factsOf } from "./told.ts";

/** How much of a box's ledger was found in the vault. */
export interface RestoredLedger {
  /** The first so many entries are under a signed head. */
  readonly signed: number;
  /** So many there are: what follows the head was on its way when the box was lost. No head covers it. */
  readonly entries: number;
}

const LEAVES_AT_ONCE = 2000;

/**
 * Copies the entries that the vault has into an empty catalog, and makes their tree anew: the first ones must
 * have exactly the root of `head`. What follows the head without a gap is copied as well, because the object
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
  let size = 0;
  const flush = async (): Promise<void> => {
    const leaves = pending;
    pending = [];
    await database.transaction((sql) => insert(sql, leaves, size - leaves.length, head));
  };
  for await (const { key, from, lines } of objects(vault, node, signal)) {
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
  return { signed: head.size, entries: size };
}

async function* objects(vault: Vault, node: NodeId, signal: AbortSignal) {
  let last = "";
  for await (const { key, versionId } of vault.list(entriesPrefix(node), signal)) {
    const from = firstEntryOf(key);
    // Put once: of several versions the first is the one, whatever somebody wrote over it later.
    if (from === undefined || key === last) continue;
    last = key;
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
