import { createHash, randomBytes } from "node:crypto";
import { type Instant, isoOf } from "#base/time";
import { bytes, number } from "../catalog/row.ts";
import type { Sql } from "../catalog/sqlite.ts";
import { canonical } from "./canonical.ts";
import type { Entry } from "./entry.ts";
import { type Appender, frontierOf, leafHash, openAppender, type TreeNode } from "./tree.ts";

/**
 * Appends `entries` to the ledger inside the transaction that changes what they tell (invariant 5);
 * returns the sequence number of the first. Three statements whatever their number.
 */
export async function append(
  sql: Sql,
  at: Instant,
  entries: readonly [Entry, ...Entry[]],
): Promise<number> {
  const tree = await openTree(sql);
  const first = tree.size;
  const rows: { seq: number; kind: string; body: string }[] = [];
  const details: Detail[] = [];
  const nodes: TreeNode[] = [];
  for (const [offset, entry] of entries.entries()) {
    const seq = first + offset;
    const detail = entry.detail && sealedDetail(seq, entry.detail);
    if (detail) details.push(detail);
    const commitment = detail ? { detail: commitmentTo(detail.salt, detail.body) } : {};
    const body = canonical({ ...entry.facts, ...commitment, kind: entry.kind, at: isoOf(at) });
    rows.push({ seq, kind: entry.kind, body });
    nodes.push(...tree.append(leafHash(body)));
  }
  await insertLeaves(
    sql,
    rows.map((row) => ({ ...row, at })),
    nodes,
  );
  for (const detail of details) await insertDetail(sql, detail);
  return first;
}

/** The tree as it stands: its size and frontier, read in one query each. */
export async function openTree(sql: Sql): Promise<Appender> {
  const [row] = await sql.all("select coalesce(max(seq) + 1, 0) as size from entry");
  const size = number(row, "size");
  const frontier = await sql.all(
    `select node.level, node.position, node.hash from json_each($frontier) as wanted
     cross join tree_node as node
     on node.level = wanted.value ->> 'level' and node.position = wanted.value ->> 'position'`,
    { $frontier: JSON.stringify(frontierOf(size)) },
  );
  return openAppender(
    size,
    frontier.map((node) => ({
      level: number(node, "level"),
      position: number(node, "position"),
      hash: bytes(node, "hash"),
    })),
  );
}

/** An entry as it is hashed, and its place. */
export interface Leaf {
  readonly seq: number;
  readonly at: Instant;
  readonly kind: string;
  readonly body: string;
}

/** Writes leaves that follow the last one, with the nodes of the tree that they complete. */
export async function insertLeaves(
  sql: Sql,
  leaves: readonly Leaf[],
  nodes: readonly TreeNode[],
): Promise<void> {
  await sql.run(
    `insert into entry (seq, at_ms, kind, body)
     select value ->> 'seq', value ->> 'at', value ->> 'kind', value ->> 'body' from json_each($rows)`,
    { $rows: JSON.stringify(leaves) },
  );
  await insertNodes(sql, nodes);
}

async function insertNodes(sql: Sql, nodes: readonly TreeNode[]): Promise<void> {
  const rows = nodes.map(({ level, position, hash }) => [level, position, hash.toString("hex")]);
  await sql.run(
    `insert into tree_node (level, position, hash)
     select value ->> 0, value ->> 1, unhex(value ->> 2) from json_each($rows)`,
    { $rows: JSON.stringify(rows) },
  );
}

/** What is personal lies beside the tree; the entry commits to it with a salt, so it can be erased. */
interface Detail {
  readonly seq: number;
  readonly salt: Buffer;
  readonly body: string;
  readonly eraseAfterMs: number;
}

function sealedDetail(seq: number, detail: NonNullable<Entry["detail"]>): Detail {
  const { facts, eraseAfterMs } = detail;
  return { seq, salt: randomBytes(16), body: canonical(facts), eraseAfterMs };
}

async function insertDetail(sql: Sql, { seq, salt, body, eraseAfterMs }: Detail): Promise<void> {
  await sql.run(
    `insert into detail (entry_seq, salt, body, erase_after_ms)
     values ($seq, $salt, $body, $eraseAfter)`,
    { $seq: seq, $salt: salt, $body: body, $eraseAfter: eraseAfterMs },
  );
}

/** What an entry carries in place of its personal detail: SHA-256 over salt and canonical JSON. */
export function commitmentTo(salt: Uint8Array, body: string): string {
  return createHash("sha256").update(salt).update(body).digest("hex");
}
