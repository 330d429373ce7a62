import { nodeHash } from "./tree.ts";

// What RFC 6962 §2.1 calls audit path and consistency proof: which hashes they are, and how they are checked
// (the algorithms of RFC 9162 §2.1.3.2 and §2.1.4.2). Nothing here reads: storage/ledger/prove.ts does.

/** Leaves `from` ≤ index < `to` that hash to one element of a proof. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What proves that leaf `index` is in the tree of `size` leaves: its sibling first. */
export function inclusionSpans(index: number, size: number): readonly Span[] {
  const spans: Span[] = [];
  for (let from = 0, to = size; to - from > 1; ) {
    const middle = from + largestPowerBelow(to - from);
    const left = index < middle;
    spans.unshift(left ? { from: middle, to } : { from, to: middle });
    if (left) to = middle;
    else from = middle;
  }
  return spans;
}

/** What proves that the tree of `older` leaves is the beginning of the tree of `newer`. Empty for 0 and for equal. */
export function consistencySpans(older: number, newer: number): readonly Span[] {
  if (older === 0 || older === newer) return [];
  const spans: Span[] = [];
  let from = 0;
  let to = newer;
  while (to !== older) {
    const middle = from + largestPowerBelow(to - from);
    const left = older <= middle;
    spans.unshift(left ? { from: middle, to } : { from, to: middle });
    if (left) to = middle;
    else from = middle;
  }
  // The older tree itself needs no telling where it is one whole subtree: who checks has its root.
  return from === 0 ? spans : [{ from, to }, ...spans];
}

/** The complete subtrees a span is made of, from left to right. */
export function subtreesOf({ from, to }: Span): readonly { level: number; position: number }[] {
  const subtrees: { level: number; position: number }[] = [];
  for (let start = from; start < to; ) {
    let level = 0;
    while (start % 2 ** (level + 1) === 0 && start + 2 ** (level + 1) <= to) level += 1;
    subtrees.push({ level, position: start / 2 ** level });
    start += 2 ** level;
  }
  return subtrees;
}

/** The root that leaf `index` and `path` lead to in a tree of `size` leaves; undefined when they cannot belong together. */
export function rootOfInclusion(
  leaf: Buffer,
  index: number,
  size: number,
  path: readonly Buffer[],
): Buffer | undefined {
  if (!isCount(index) || !isCount(size) || index >= size) return undefined;
  let hash = leaf;
  let place = index;
  let last = size - 1;
  for (const sibling of path) {
    if (last === 0) return undefined;
    if (place % 2 === 1 || place === last) {
      hash = nodeHash(sibling, hash);
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [place, last] = [half(place), half(last)];
  }
  return last === 0 ? hash : undefined;
}

/** A tree as a signed head tells it. */
export interface Tree {
  readonly size: number;
  readonly root: Buffer;
}

/** Whether `path` proves that `older` is the beginning of `newer`: nothing was changed or taken out since. */
export function isConsistent(older: Tree, newer: Tree, path: readonly Buffer[]): boolean {
  if (!isCount(older.size) || !isCount(newer.size)) return false;
  if (older.size === 0 || older.size > newer.size) return false;
  if (older.size === newer.size) return path.length === 0 && older.root.equals(newer.root);
  let place = older.size - 1;
  let last = newer.size - 1;
  while (place % 2 === 1) [place, last] = [half(place), half(last)];
  const [first, ...rest] = place === 0 ? [older.root, ...path] : path;
  if (first === undefined) return false;
  let olderRoot = first;
  let newerRoot = first;
  for (const hash of rest) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      olderRoot = nodeHash(hash, olderRoot);
      newerRoot = nodeHash(hash, newerRoot);
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)];
    } else {
      newerRoot = nodeHash(newerRoot, hash);
    }
    [place, last] = [half(place), half(last)];
  }
  return last === 0 && olderRoot.equals(older.root) && newerRoot.equals(newer.root);
}

function largestPowerBelow(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

// Shifting would wrap at 2^31 leaves.
function half(count: number): number {
  return Math.floor(count / 2);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
