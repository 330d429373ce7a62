import { archivedTo } from "./catalog/archive.ts";
import { bytes, number, text } from "./catalog/row.ts";
import type { Sql } from "./catalog/sqlite.ts";
import type { Findings } from "./findings.ts";
import { KEPT_LEVEL } from "./ledger/kept.ts";
import { type Appender, frontierOf, leafHash, nodeHash, openAppender } from "./ledger/tree.ts";

type Nodes = ReadonlyMap<string, Buffer>;

/**
 * Checks the part of the tree whose entries lie in the archive, by the nodes that were kept: each root of
 * 1,024 leaves and up against the two below it, each entry that stayed and each signed head against those
 * (invariant 5). Returns the tree as it stood then, for the entries that follow.
 */
export async function checkArchived(
  sql: Sql,
  heads: ReadonlyMap<number, Buffer>,
  findings: Findings,
): Promise<Appender> {
  const size = await archivedTo(sql);
  const nodes = await keptNodes(sql, size);
  const frontier = frontierOf(size).map((node) => ({ ...node, hash: nodes.get(nameOf(node)) }));
  for (const { level, position } of frontier.filter(({ hash }) => !hash)) {
    findings.add(
      5,
      `node ${position} of level ${level}, which the archived tree ends in, is missing`,
    );
  }
  for (let level = KEPT_LEVEL + 1; 2 ** level <= size; level += 1) {
    for (let position = 0; (position + 1) * 2 ** level <= size; position += 1) {
      const parent = nodes.get(nameOf({ level, position }));
      const left = nodes.get(nameOf({ level: level - 1, position: 2 * position }));
      const right = nodes.get(nameOf({ level: level - 1, position: 2 * position + 1 }));
      if (!parent || !left || !right || !parent.equals(nodeHash(left, right)))
        findings.add(5, `node ${position} of level ${level} is not made of the two below it`);
    }
  }
  for (const row of await sql.all("select seq, body from entry where seq < $size", {
    $size: size,
  })) {
    const seq = number(row, "seq");
    if (!climbs(nodes, size, seq, leafHash(text(row, "body"))))
      findings.add(5, `ledger entry ${seq} is not the one in the archived tree`);
  }
  for (const [head, root] of heads) {
    if (head <= size && !ends(nodes, head, root))
      findings.add(5, `the checkpoint of ${head} entries has another root`);
  }
  const known = frontier.flatMap(({ hash, ...at }) => (hash ? [{ ...at, hash }] : []));
  return openAppender(known.length === frontier.length ? size : 0, known);
}

async function keptNodes(sql: Sql, size: number): Promise<Nodes> {
  const rows = await sql.all(
    "select level, position, hash from tree_node where (position << level) < $size",
    { $size: size },
  );
  return new Map(
    rows.map((row) => [
      nameOf({ level: number(row, "level"), position: number(row, "position") }),
      bytes(row, "hash"),
    ]),
  );
}

/** Whether the kept siblings lead from leaf `seq` to a kept root of 1,024 leaves, or to where the tree ends. */
function climbs(nodes: Nodes, size: number, seq: number, leaf: Buffer): boolean {
  const ending = new Set(frontierOf(size).map(nameOf));
  let [position, up] = [seq, leaf];
  for (let level = 0; ; level += 1, position = Math.floor(position / 2)) {
    const here = nameOf({ level, position });
    if (level === KEPT_LEVEL || ending.has(here)) return nodes.get(here)?.equals(up) ?? false;
    const right = position % 2 === 1;
    const sibling = nodes.get(nameOf({ level, position: right ? position - 1 : position + 1 }));
    if (!sibling) return false;
    up = right ? nodeHash(sibling, up) : nodeHash(up, sibling);
  }
}

/** Whether a tree of `size` leaves ends in kept nodes that have this root. */
function ends(nodes: Nodes, size: number, root: Buffer): boolean {
  const hashes = frontierOf(size).map((node) => nodes.get(nameOf(node)));
  if (!hashes.every((hash) => hash !== undefined)) return false;
  const sum = hashes.reduce((right, left) => nodeHash(left, right));
  return sum.equals(root);
}

function nameOf({ level, position }: { level: number; position: number }): string {
  return `${level}/${position}`;
}
