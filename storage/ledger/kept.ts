import { number } from "../catalog/row.ts";
import type { Sql } from "../catalog/sqlite.ts";

/** Roots of 2^10 leaves and up stay for ever; migration 0006 says the same. */
export const KEPT_LEVEL = 10;
export const BLOCK = 2 ** KEPT_LEVEL;

/** The leaf and the siblings on its way up to `KEPT_LEVEL`: what proves that it is in the tree. */
function pathOfLeaf(seq: number): readonly { level: number; position: number }[] {
  return [{ level: 0, position: seq }, ...siblings(seq, 0)];
}

/**
 * The smallest subtree that a tree of `size` leaves ends in, and the siblings on its way up to
 * `KEPT_LEVEL`: what proves that a later tree begins with that one (RFC 6962 §2.1.2).
 */
function pathOfHead(size: number): readonly { level: number; position: number }[] {
  let level = 0;
  while ((size >> level) % 2 === 0 && level < KEPT_LEVEL) level += 1;
  if (level === KEPT_LEVEL) return [];
  const position = Math.floor((size - 1) / 2 ** level);
  return [{ level, position }, ...siblings(position, level)];
}

function siblings(position: number, from: number): { level: number; position: number }[] {
  const nodes: { level: number; position: number }[] = [];
  for (let level = from, at = position; level < KEPT_LEVEL; level += 1, at = Math.floor(at / 2)) {
    nodes.push({ level, position: at % 2 === 0 ? at + 1 : at - 1 });
  }
  return nodes;
}

/**
 * Drops the nodes below `KEPT_LEVEL` of one block of leaves as far as its entries lie before `end`, but
 * for those that prove an entry that stays, a signed head, or the tree of `end` leaves itself.
 */
export async function pruneBlock(sql: Sql, block: number, end: number): Promise<void> {
  const from = block * BLOCK;
  const to = Math.min(from + BLOCK, end);
  const params = { $from: from, $to: to };
  const leaves = await sql.all("select seq from entry where seq >= $from and seq < $to", params);
  const heads = await sql.all(
    "select size from checkpoint where size > $from and size <= $to",
    params,
  );
  const kept = [
    ...leaves.flatMap((row) => pathOfLeaf(number(row, "seq"))),
    ...[...heads.map((row) => number(row, "size")), end].flatMap(pathOfHead),
  ];
  for (let level = 0; level < KEPT_LEVEL; level += 1) {
    const stay = kept.filter((node) => node.level === level).map(({ position }) => position);
    await sql.run(
      `delete from tree_node where level = $level and position >= $from and position < $to
         and position not in (select value from json_each($stay))`,
      {
        $level: level,
        $from: from / 2 ** level,
        // Only subtrees that end before `end`: the others still grow.
        $to: Math.floor(to / 2 ** level),
        $stay: JSON.stringify(stay),
      },
    );
  }
}
