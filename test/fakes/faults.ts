import fs from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { BewaardError, type ErrorCode } from "#base/errors";
import type { Database, Sql } from "../../storage/catalog/sqlite.ts";

/** Counts calls, and makes one of them fail. */
export interface Faults {
  /** From now on the n-th call fails with `code`. */
  arm(nth: number, code: string): void;
  /** Lets every call through again; tells whether the n-th ever came. */
  disarm(): boolean;
  /** What the call that is made now must fail with. */
  meet(call: string): string | undefined;
}

export function openFaults(): Faults {
  let left = 0;
  let code = "";
  return {
    arm(nth, failure) {
      left = nth;
      code = failure;
    },
    disarm() {
      const came = left <= 0;
      left = 0;
      return came;
    },
    meet(call) {
      if (left <= 0 || (code === SHORT && !WRITES.has(call))) return undefined;
      left -= 1;
      return left === 0 ? code : undefined;
    },
  };
}

/** The kernel has written less than it was given. */
export const SHORT = "SHORT";
const WRITES = new Set(["write", "writev", "writeSync"]);

const SYNC = [
  "openSync",
  "readSync",
  "fsyncSync",
  "fdatasyncSync",
  "fstatSync",
  "linkSync",
  "unlinkSync",
  "rmSync",
];
const PROMISES = [
  "readdir",
  "readFile",
  "rename",
  "rm",
  "mkdir",
  "rmdir",
  "lstat",
  "access",
  "opendir",
  "stat",
  "statfs",
  "link",
];
const HANDLE = ["sync", "datasync", "stat", "read", "writeFile", "readFile"];
const CALLBACK = ["open", "read"];

/**
 * Makes the file system calls that the program uses subject to `faults`, until disposed. A call that fails
 * did nothing; a close that fails has closed, and a short write has written one byte.
 */
export function failingFiles(faults: Faults): Disposable {
  const undo = new DisposableStack();
  for (const name of SYNC) undo.defer(patch(fs, name, faults, thrown));
  undo.defer(patch(fs, "closeSync", faults, thrown, "after"));
  for (const name of PROMISES) undo.defer(patch(promises, name, faults, rejected));
  undo.defer(
    replace(promises, "open", (open) => async (...args) => {
      const code = faults.meet("open");
      if (code !== undefined) throw failureOf(code, "open");
      const handle = await open(...args);
      if (typeof handle !== "object" || handle === null) throw new TypeError("no handle");
      // A fast folder has less to it (test/fakes/fast-folders.ts).
      for (const name of HANDLE) if (name in handle) patch(handle, name, faults, rejected);
      patch(handle, "close", faults, rejected, "after");
      if ("write" in handle) failWrites(handle, faults);
      if ("writev" in handle) failListed(handle, faults);
      return handle;
    }),
  );
  for (const name of CALLBACK) undo.defer(patch(fs, name, faults, called));
  undo.defer(
    replace(fs, "writeSync", (write) => (...args) => {
      const [fd, bytes, offset] = args;
      const short = faults.meet("writeSync");
      if (short === undefined) return write(...args);
      if (short === SHORT) return write(fd, bytes, offset, 1);
      throw failureOf(short, "writeSync");
    }),
  );
  syncBuiltinESMExports();
  return {
    [Symbol.dispose]() {
      undo.dispose();
      syncBuiltinESMExports();
    },
  };
}

function failWrites(handle: object, faults: Faults): void {
  replace(handle, "write", (write) => async (...args) => {
    const [bytes, offset, , position] = args;
    const code = faults.meet("write");
    if (code === undefined) return write(...args);
    if (code === SHORT) return write(bytes, offset, 1, position);
    throw failureOf(code, "write");
  });
}

function failListed(handle: object, faults: Faults): void {
  replace(handle, "writev", (writev) => async (...args) => {
    const [all, position] = args;
    const code = faults.meet("writev");
    if (code === undefined) return writev(...args);
    if (code !== SHORT) throw failureOf(code, "writev");
    if (!Array.isArray(all) || !(all[0] instanceof Uint8Array)) throw new TypeError("no buffers");
    return writev([all[0].subarray(0, 1)], position);
  });
}

type Fail = (error: Error, args: readonly unknown[]) => unknown;

const thrown: Fail = (error) => {
  throw error;
};
const rejected: Fail = async (failure) => {
  throw failure;
};
const called: Fail = (error, args) => {
  const callback = args.at(-1);
  if (typeof callback !== "function") throw new TypeError("no callback");
  process.nextTick(() => void Reflect.apply(callback, undefined, [error]));
};

/** Lets a call fail: before it does anything, or after it has done it. */
function patch(
  target: object,
  name: string,
  faults: Faults,
  fail: Fail,
  when: "before" | "after" = "before",
): () => void {
  return replace(target, name, (original) => (...args) => {
    const code = faults.meet(name);
    if (code === undefined) return original(...args);
    const failure = failureOf(code, name);
    if (when === "before") return fail(failure, args);
    const done: unknown = original(...args);
    return done instanceof Promise ? done.then(() => fail(failure, args)) : fail(failure, args);
  });
}

function failureOf(code: string, name: string): Error {
  return Object.assign(new Error(`${code}: made to fail, ${name}`), { code });
}

type Call = (...args: readonly unknown[]) => unknown;

/** Puts another function in place of one; returns what puts it back. */
function replace(target: object, name: string, other: (original: Call) => Call): () => void {
  const original: unknown = Reflect.get(target, name);
  if (typeof original !== "function") throw new TypeError(`no ${name} to make fail`);
  Reflect.set(
    target,
    name,
    other((...args) => Reflect.apply(original, target, args)),
  );
  return () => void Reflect.set(target, name, original);
}

/** The same catalog, each statement and each commit subject to `faults`. */
export function failingDatabase(database: Database, faults: Faults): Database {
  const meet = (call: string): void => {
    const code = faults.meet(call);
    if (code === undefined) return;
    const known: ErrorCode = code === "CATALOG_FULL" ? "CATALOG_FULL" : "CATALOG_IO";
    throw new BewaardError(known, `made to fail, ${call}`, { transient: true });
  };
  const failing = (sql: Sql): Sql => ({
    run: async (text, params) => (meet("run"), sql.run(text, params)),
    all: async (text, params) => (meet("all"), sql.all(text, params)),
    script: async (text) => (meet("script"), sql.script(text)),
  });
  return {
    ...database,
    transaction: (body) =>
      database.transaction(async (sql) => {
        const result = await body(failing(sql));
        meet("commit");
        return result;
      }),
  };
}
