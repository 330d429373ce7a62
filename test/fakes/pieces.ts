import { type Fragment, openFragments } from "../../drivers/camera/fragments.ts";
import type { Init } from "../../drivers/camera/init.ts";

/** What is made of `bytes` when they come `size` at a time. */
export async function* piecesOf(
  bytes: Buffer,
  size = 65_536,
): AsyncGenerator<Init | Fragment, void, undefined> {
  const take = openFragments();
  for (let from = 0; from < bytes.length; from += size) {
    const pieces: (Init | Fragment)[] = [];
    try {
      take(bytes.subarray(from, from + size), (piece) => pieces.push(piece));
    } finally {
      yield* pieces;
    }
  }
}
