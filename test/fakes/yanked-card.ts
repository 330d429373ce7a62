import fs from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

/** How a card that is gone answers: each was seen of real ones (an empty folder, without any error, too). */
export const GONE = ["EIO", "ENOENT", "empty"] as const;
type Gone = (typeof GONE)[number];

/** Folders that stand for cards, and that can be pulled out at any byte of what is read of them. */
export interface YankableCards extends Disposable {
  /** Pulls the card at `folder` out after so many more bytes; a look at a name is one as well. */
  yankAfter(folder: string, bytes: number, how: Gone): void;
  isGone(folder: string): boolean;
  plugIn(folder: string): void;
}

interface Yank {
  left: number;
  readonly how: Gone;
}

/** Reads of cards come in pieces of this, so that a card can go in the middle of a small file. */
const READ_AT_MOST = 700;

export function yankableCards(): YankableCards {
  const yanks = new Map<string, Yank>();
  const open = new Map<number, string>();
  const undo = new DisposableStack();
  const cardOf = (path: unknown): string | undefined =>
    [...yanks.keys()].find((folder) => String(path).startsWith(folder));

  /** How much of `wanted` still comes. @throws what a card that is gone answers. */
  function spend(folder: string, wanted: number): number {
    const yank = yanks.get(folder);
    if (!yank) return wanted;
    const given = Math.min(wanted, yank.left);
    yank.left -= given;
    if (given > 0) return given;
    throw failureOf(yank.how === "empty" ? "ENOENT" : yank.how);
  }

  patch(undo, fs, "openSync", (real) => (...args) => {
    const folder = cardOf(args[0]);
    if (folder !== undefined) spend(folder, 1);
    const fd = real(...args);
    if (folder !== undefined && typeof fd === "number") open.set(fd, folder);
    return fd;
  });
  patch(undo, fs, "closeSync", (real) => (...args) => {
    open.delete(Number(args[0]));
    return real(...args);
  });
  patch(undo, fs, "readSync", (real) => (...args) => {
    const [fd, block, offset, length, position] = args;
    const folder = open.get(Number(fd));
    if (folder === undefined) return real(...args);
    const yank = yanks.get(folder);
    if (yank?.left === 0) throw failureOf("EIO");
    return real(fd, block, offset, spend(folder, Math.min(Number(length), READ_AT_MOST)), position);
  });
  patch(undo, promises, "lstat", (real) => async (...args) => {
    const folder = cardOf(args[0]);
    if (folder !== undefined) spend(folder, 1);
    return real(...args);
  });
  patch(undo, promises, "opendir", (real) => async (...args) => {
    const folder = cardOf(args[0]);
    const yank = folder === undefined ? undefined : yanks.get(folder);
    if (yank?.left === 0 && yank.how === "empty") return EMPTY;
    if (folder !== undefined) spend(folder, 1);
    return real(...args);
  });
  syncBuiltinESMExports();
  undo.defer(() => syncBuiltinESMExports());
  return {
    yankAfter: (folder, bytes, how) => void yanks.set(folder, { left: bytes, how }),
    isGone: (folder) => yanks.get(folder)?.left === 0,
    plugIn: (folder) => void yanks.delete(folder),
    [Symbol.dispose]: () => undo.dispose(),
  };
}

const EMPTY = { close: async () => undefined, async *[Symbol.asyncIterator]() {} };

function failureOf(code: string): Error {
  return Object.assign(new Error(`${code}: the card is gone`), { code });
}

type Call = (...args: unknown[]) => unknown;

function patch(
  undo: DisposableStack,
  target: object,
  name: string,
  other: (real: Call) => Call,
): void {
  const original: unknown = Reflect.get(target, name);
  if (typeof original !== "function") throw new TypeError(`no ${name}`);
  undo.defer(() => void Reflect.set(target, name, original));
  Reflect.set(
    target,
    name,
    other((...args) => Reflect.apply(original, target, args)),
  );
}
