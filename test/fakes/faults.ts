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
    meet() {
      if (left <= 0) return undefined;
      left -= 1;
      return left === 0 ? code : undefined;
    },
  };
}

const SYNC = ["openSync", "writeSync", "readSync", "fsyncSync", "fdatasyncSync", "fstatSync"];
const SYNC_NAMES = ["linkSync", "unlinkSync"];
const PROMISES = ["open", "readdir", "readFile", "rename", "rm", "mkdir", "rmdir", "lstat"];
const PROMISES_MORE = ["access", "opendir", "stat", "statfs"];
const HANDLE = ["sync", "stat", "read", "writeFile", "readFile"];
const CALLBACK = ["open", "read"];

/** Makes the file system calls that the program uses subject to `faults`, until disposed. */
export async function failingFiles(faults: Faults): Promise<Disposable> {
  const undo = new DisposableStack();
  const handle: object = await (async () => {
    await using file = await promises.open("/dev/null");
    const prototype: unknown = Object.getPrototypeOf(file);
    if (typeof prototype !== "object" || prototype === null) throw new TypeError("no prototype");
    return prototype;
  })();
  for (const name of [...SYNC, ...SYNC_NAMES]) undo.defer(patch(fs, name, faults, thrown));
  for (const name of [...PROMISES, ...PROMISES_MORE]) {
    undo.defer(patch(promises, name, faults, rejected));
  }
  for (const name of HANDLE) undo.defer(patch(handle, name, faults, rejected));
  for (const name of CALLBACK) undo.defer(patch(fs, name, faults, called));
  syncBuiltinESMExports();
  undo.defer(syncBuiltinESMExports);
  return {
    [Symbol.dispose]() {
      undo.dispose();
      syncBuiltinESMExports();
    },
  };
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

function patch(target: object, name: string, faults: Faults, fail: Fail): () => void {
  const original: unknown = Reflect.get(target, name);
  if (typeof original !== "function") throw new TypeError(`no ${name} to make fail`);
  const patched = function (this: unknown, ...args: unknown[]): unknown {
    const code = faults.meet(name);
    if (code === undefined) return Reflect.apply(original, this, args);
    return fail(Object.assign(new Error(`${code}: made to fail, ${name}`), { code }), args);
  };
  Reflect.set(target, name, patched);
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
