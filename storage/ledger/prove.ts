import { bytes, number } from "../catalog/row.ts";
import type { Sql } from "../catalog/sqlite.ts";
import { consistencySpans, inclusionSpans, type Span, subtreesOf } from "./proof.ts";
import { leafHash, nodeHash, openAppender } from "./tree.ts";

/** The path of entry `seq` in the tree of the first `size` entries. One query, at most one hash a level and side. */
export function proveInclusion(sql: Sql, seq: number, size: number): Promise<readonly Buffer[]> {
  return hashesOf(sql, inclusionSpans(seq, size));
}

/** That the first `older` entries are the beginning of the first `newer`. One query. */
export function proveConsistency(
  sql: Sql,
  older: number,
  newer: number,
): Promise<readonly Buffer[]> {
  return hashesOf(sql, consistencySpans(older, newer));
}

/** The root over the first `size` entries, of which there must be so many. */
export async function rootAt(sql: Sql, size: number): Promise<Buffer> {
  if (size === 0) return openAppender(0, []).root();
  const [root] = await hashesOf(sql, [{ from: 0, to: size }]);
  if (root === undefined) throw new Error("no root");
  return root;
}

async function hashesOf(sql: Sql, spans: readonly Span[]): Promise<readonly Buffer[]> {
  const wanted = spans.map(subtreesOf);
  const rows = await sql.all(
    `select node.level, node.position, node.hash from json_each($wanted) as wanted
     cross join tree_node as node
     on node.level = wanted.value ->> 'level' and node.position = wanted.value ->> 'position'`,
    { $wanted: JSON.stringify(wanted.flat()) },
  );
  const known = new Map(
    rows.map((row) => [nameOf(number(row, "level"), number(row, "position")), bytes(row, "hash")]),
  );
  return wanted.map((subtrees) => joined(subtrees, known));
}

/** The path of each of `leaves` that is `wanted`, in the tree over all of them; for the rows of a batch. */
export function proveRow(leaves: Iterable<string>, wanted: number): readonly Buffer[] {
  const known = new Map<string, Buffer>();
  const tree = openAppender(0, []);
  for (const leaf of leaves) {
    for (const { level, position, hash } of tree.append(leafHash(leaf)))
      known.set(nameOf(level, position), hash);
  }
  return inclusionSpans(wanted, tree.size).map((span) => joined(subtreesOf(span), known));
}

function joined(
  subtrees: readonly { level: number; position: number }[],
  known: ReadonlyMap<string, Buffer>,
): Buffer {
  const hashes = subtrees.map(({ level, position }) => {
    const hash = known.get(nameOf(level, position));
    if (hash === undefined) throw new Error(`tree node ${level}/${position} is missing`);
    return hash;
  });
  return hashes.reduceRight((right, left) => nodeHash(left, right));
}

function nameOf(level: number, position: number): string {
  return `${level}/${position}`;
}
