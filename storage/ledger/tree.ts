import { createHash } from "node:crypto";

/** Merkle tree hashing of RFC 6962 §2.1: leaves and nodes differ in their first byte. */
export function leafHash(body: string | Uint8Array): Buffer {
  return createHash("sha256").update(Uint8Array.of(0)).update(body).digest();
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash("sha256").update(Uint8Array.of(1)).update(left).update(right).digest();
}

export interface TreeNode {
  readonly level: number;
  readonly position: number;
  readonly hash: Buffer;
}

/**
 * The complete subtrees a tree of `size` leaves ends in, one for each bit set in `size`, the smallest
 * first. Their hashes are all that is needed to append, or to know the root.
 */
export function frontierOf(size: number): readonly { level: number; position: number }[] {
  const frontier: { level: number; position: number }[] = [];
  for (let level = 0, rest = size; rest > 0; level += 1, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) frontier.push({ level, position: rest - 1 });
  }
  return frontier;
}

/** Appends to a tree of which only the frontier is known. */
export interface Appender {
  /** Adds one leaf; returns every node that became complete, the leaf first. */
  append(leaf: Buffer): readonly TreeNode[];
  root(): Buffer;
  /** All that is needed to go on from here later, the smallest subtree first. */
  frontier(): readonly TreeNode[];
  readonly size: number;
}

export function openAppender(size: number, frontier: readonly TreeNode[]): Appender {
  const newest = new Map(frontier.map((node) => [node.level, node.hash]));
  let grown = size;
  return {
    append(leaf) {
      const nodes: TreeNode[] = [];
      let hash = leaf;
      let position = grown;
      let level = 0;
      nodes.push({ level, position, hash });
      while (position % 2 === 1) {
        hash = nodeHash(known(newest, level), hash);
        newest.delete(level);
        position = (position - 1) / 2;
        level += 1;
        nodes.push({ level, position, hash });
      }
      newest.set(level, hash);
      grown += 1;
      return nodes;
    },
    root: () =>
      frontierOf(grown)
        .map(({ level }) => known(newest, level))
        .reduce<Buffer | undefined>(
          (right, left) => (right ? nodeHash(left, right) : left),
          undefined,
        ) ?? createHash("sha256").digest(),
    frontier: () => frontierOf(grown).map((node) => ({ ...node, hash: known(newest, node.level) })),
    get size() {
      return grown;
    },
  };
}

function known(newest: ReadonlyMap<number, Buffer>, level: number): Buffer {
  const hash = newest.get(level);
  if (!hash) throw new Error(`tree node of level ${level} is missing`);
  return hash;
}

/** The root over `leaves` (their bytes, not their hashes): RFC 6962 MTH. */
export function rootOver(leaves: Iterable<string | Uint8Array>): Buffer {
  const tree = openAppender(0, []);
  for (const leaf of leaves) tree.append(leafHash(leaf));
  return tree.root();
}
