import { AsyncLocalStorage } from "node:async_hooks";
import sqlite3 from "sqlite3";
import { BewaardError, type ErrorCode, systemCode } from "#base/errors";
import { progress } from "#base/progress";

type SqlValue = string | number | Uint8Array | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;
export type SqlParams = Readonly<Record<`$${string}`, SqlValue>>;

/** What may be done inside a transaction. Dead once the transaction has ended. */
export interface Sql {
  /** Returns how many rows changed. */
  run(sql: string, params?: SqlParams): Promise<number>;
  all(sql: string, params?: SqlParams): Promise<readonly SqlRow[]>;
  /** Runs a script of several statements, without parameters. */
  script(sql: string): Promise<void>;
}

export interface Database extends AsyncDisposable {
  /** Runs `body` alone: calls queue, first come first served. Commits if it resolves, rolls back if it throws. */
  transaction<T>(body: (sql: Sql) => Promise<T>): Promise<T>;
  /**
   * Runs `body` on one snapshot, on a connection of its own that can only read, while transactions go
   * on: for what takes seconds and more. Closing the database interrupts it.
   */
  aside<T>(body: (sql: Sql) => Promise<T>): Promise<T>;
  /** Has the file by itself hold what was committed, as far as nobody reads: the newest of it lies in a second file beside it. */
  settle(): Promise<void>;
}

/**
 * Opens the one connection this process ever holds to `path`. A commit survives a power cut:
 * `synchronous = full`, because WAL with `normal` lost acknowledged commits (docs/design.md, "Catalog").
 * @throws BewaardError CATALOG_IO when the file cannot be opened.
 */
export async function openDatabase(path: string): Promise<Database> {
  const handle = await connect(path);
  const sql = promised(handle);
  try {
    await sql.script(
      "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;",
    );
  } catch (error) {
    await close(handle);
    throw error;
  }

  const inside = new AsyncLocalStorage<true>();
  let tail: Promise<unknown> = Promise.resolve();
  const readers = new Map<sqlite3.Database, () => void>();

  async function alone<T>(body: (sql: Sql) => Promise<T>): Promise<T> {
    const lease = revocable(sql);
    await sql.script("begin immediate");
    progress();
    try {
      const result = await inside.run(true, () => body(lease.sql));
      await sql.script("commit");
      progress();
      return result;
    } catch (error) {
      // After a full disk SQLite may have rolled back already; the first error is the one to tell.
      await sql.script("rollback").catch(() => undefined);
      throw error;
    } finally {
      lease.revoke();
    }
  }

  async function reading<T>(body: (sql: Sql) => Promise<T>): Promise<T> {
    const reader = await connect(path, sqlite3.OPEN_READONLY);
    const lease = revocable(promised(reader));
    readers.set(reader, () => lease.revoke());
    try {
      await lease.sql.script("begin");
      return await body(lease.sql);
    } finally {
      readers.delete(reader);
      await close(reader);
    }
  }

  const database: Database = {
    transaction(body) {
      if (inside.getStore()) {
        const message = "transaction() called inside a transaction";
        return Promise.reject(new BewaardError("CATALOG_NESTED_TRANSACTION", message));
      }
      const turn = tail.then(() => alone(body));
      tail = turn.catch(() => undefined);
      return turn;
    },
    // A catalog in memory has no second connection.
    aside: (body) => (path === ":memory:" ? database.transaction(body) : reading(body)),
    settle() {
      const turn = tail.then(() => sql.script("pragma wal_checkpoint(passive)"));
      tail = turn.catch(() => undefined);
      return turn;
    },
    async [Symbol.asyncDispose]() {
      for (const [reader, revoke] of readers) {
        revoke();
        reader.interrupt();
      }
      await tail;
      await close(handle);
    },
  };
  return database;
}

/**
 * Holds `path` alone until disposed or until this process dies, however it dies: the kernel drops the
 * lock. Returns undefined when another process has it. Writes nothing, so that it can be had on a full disk.
 */
export async function lockFile(path: string): Promise<AsyncDisposable | undefined> {
  const handle = await connect(path);
  try {
    await promised(handle).script("pragma journal_mode = memory; begin exclusive");
  } catch (error) {
    await close(handle);
    if (error instanceof BewaardError && error.code === "CATALOG_BUSY") return undefined;
    throw error;
  }
  return { [Symbol.asyncDispose]: () => close(handle) };
}

function connect(
  path: string,
  mode = sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE,
): Promise<sqlite3.Database> {
  return new Promise((resolve, reject) => {
    const handle = new sqlite3.Database(path, mode, (error) =>
      error ? reject(translated(error)) : resolve(handle),
    );
  });
}

function close(handle: sqlite3.Database): Promise<void> {
  return new Promise((resolve, reject) => {
    handle.close((error) => (error ? reject(translated(error)) : resolve()));
  });
}

function promised(handle: sqlite3.Database): Sql {
  return {
    run: (sql, params = {}) =>
      new Promise((resolve, reject) => {
        handle.run(sql, params, function (error) {
          if (error) reject(translated(error));
          else resolve(this.changes);
        });
      }),
    all: (sql, params = {}) =>
      new Promise((resolve, reject) => {
        handle.all<SqlRow>(sql, params, (error, rows) =>
          error ? reject(translated(error)) : resolve(rows),
        );
      }),
    script: (sql) =>
      new Promise((resolve, reject) => {
        handle.exec(sql, (error) => (error ? reject(translated(error)) : resolve()));
      }),
  };
}

const CODES: Readonly<Record<string, readonly [ErrorCode, transient: boolean]>> = {
  SQLITE_BUSY: ["CATALOG_BUSY", true],
  SQLITE_FULL: ["CATALOG_FULL", true],
  SQLITE_IOERR: ["CATALOG_IO", true],
  SQLITE_CANTOPEN: ["CATALOG_IO", true],
  SQLITE_CORRUPT: ["CATALOG_IO", false],
  SQLITE_NOTADB: ["CATALOG_IO", false],
  SQLITE_CONSTRAINT: ["CATALOG_RULE", false],
};

/** The one place that looks at what the driver throws. An unknown code stays as it is: a bug. */
function translated(error: Error): Error {
  const known = CODES[systemCode(error) ?? ""];
  if (!known) return error;
  const [code, transient] = known;
  return new BewaardError(code, `catalog: ${error.message}`, { transient, cause: error });
}

/** A view of `sql` that throws once revoked, so a forgotten `await` cannot write outside its transaction. */
function revocable(sql: Sql): { sql: Sql; revoke(): void } {
  let live = true;
  const check = (): void => {
    if (!live) throw new Error("transaction has ended: a statement was not awaited");
  };
  return {
    sql: {
      run: async (text, params) => {
        check();
        return sql.run(text, params);
      },
      all: async (text, params) => {
        check();
        return sql.all(text, params);
      },
      script: async (text) => {
        check();
        return sql.script(text);
      },
    },
    revoke: () => {
      live = false;
    },
  };
}
