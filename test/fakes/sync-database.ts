import { DatabaseSync, type StatementSync } from "node:sqlite";
import { BewaardError } from "#base/errors";
import { migrate } from "../../storage/catalog/migrate.ts";
import type { Database, Sql, SqlParams, SqlRow } from "../../storage/catalog/sqlite.ts";

const CONSTRAINT = 19;

/** Empty catalogs, one after another. */
export interface Lives extends AsyncDisposable {
  /** An empty one, until it is disposed: then nothing of it remains. */
  open(): Database;
}

/**
 * A catalog in memory on the SQLite that Node brings, in the thread that asks: for campaigns of thousands
 * of lives, in which waiting for another thread is what takes time. It runs the same statements on the
 * same schema, which is made once: a life is one transaction, rolled back at its end, and the program's
 * transactions are savepoints in it.
 */
export async function openLives(): Promise<Lives> {
  const handle = new DatabaseSync(":memory:");
  handle.exec("pragma foreign_keys = on; begin");
  await migrate(lifeOn(handle, new Map()));
  handle.exec("commit");
  const prepared = new Map<string, StatementSync>();
  return {
    open() {
      handle.exec("begin");
      return lifeOn(handle, prepared);
    },
    async [Symbol.asyncDispose]() {
      handle.close();
    },
  };
}

function lifeOn(handle: DatabaseSync, prepared: Map<string, StatementSync>): Database {
  const statement = (text: string): StatementSync => {
    const known = prepared.get(text) ?? handle.prepare(text);
    prepared.set(text, known);
    return known;
  };
  const sql: Sql = {
    run: async (text, params = {}) => said(() => Number(statement(text).run(params).changes)),
    all: async (text, params = {}) => said(() => rowsOf(statement(text), params)),
    script: async (text) => said(() => handle.exec(text)),
  };
  const alone = async <T>(body: (sql: Sql) => Promise<T>): Promise<T> => {
    handle.exec("savepoint one");
    try {
      const result = await body(sql);
      handle.exec("release one");
      return result;
    } catch (error) {
      handle.exec("rollback to one; release one");
      throw error;
    }
  };
  let tail: Promise<unknown> = Promise.resolve();
  const transaction: Database["transaction"] = (body) => {
    const turn = tail.then(() => alone(body));
    tail = turn.catch(() => undefined);
    return turn;
  };
  return {
    transaction,
    aside: transaction,
    settle: async () => undefined,
    async [Symbol.asyncDispose]() {
      await tail;
      handle.exec("rollback");
    },
  };
}

function rowsOf(statement: StatementSync, params: SqlParams): readonly SqlRow[] {
  return statement
    .all(params)
    .map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [
          name,
          typeof value === "bigint" ? Number(value) : value,
        ]),
      ),
    );
}

/** As storage/catalog/sqlite.ts says it: only the catalog's own rules can fail in memory. */
function said<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    const code = error instanceof Error && "errcode" in error ? Number(error.errcode) : 0;
    if (!(error instanceof Error) || code % 256 !== CONSTRAINT) throw error;
    throw new BewaardError("CATALOG_RULE", `catalog: ${error.message}`, { cause: error });
  }
}
