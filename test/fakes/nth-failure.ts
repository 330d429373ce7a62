import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { generateX25519Identity } from "age-encryption";
import { BewaardError } from "#base/errors";
import { type Database, openDatabase } from "../../storage/catalog/sqlite.ts";
import { failingDatabase, failingFiles, openFaults, SHORT } from "./faults.ts";
import { temporaryFolder } from "./folder.ts";
import { inlinePool } from "./inline-pool.ts";
import { openRig, type Rig } from "./rig.ts";
import { assertConverged, liveOnce } from "./small-life.ts";
import { type Lives, openLives } from "./sync-database.ts";

/** What is made to fail, and how. */
export type Fault = {
  readonly calls: "files" | "statements" | "pages";
  readonly code: string;
};

export const FAULTS: readonly Fault[] = [
  { calls: "files", code: "ENOSPC" },
  { calls: "files", code: "EIO" },
  { calls: "files", code: "EINTR" },
  { calls: "files", code: SHORT },
  { calls: "statements", code: "CATALOG_FULL" },
  { calls: "statements", code: "CATALOG_IO" },
  { calls: "pages", code: "CATALOG_FULL" },
];

/** What a disk does in the field, for which the program must have a word of its own. */
const FORESEEN = new Set(["ENOSPC", "EIO", "CATALOG_FULL", "CATALOG_IO", SHORT]);

export interface Failing extends AsyncDisposable {
  /**
   * Lets the n-th call of a whole life fail, then lives again without failure, and asserts that nothing
   * remains of it. False when the life had fewer calls than that: every one of them has failed by then.
   */
  live(nth: number, fault: Fault): Promise<boolean>;
}

/** Lives with failures, which share what takes time to make. */
export async function openFailing(): Promise<Failing> {
  const lives = await openLives();
  const identity = await generateX25519Identity();
  return {
    live: (nth, fault) =>
      fault.calls === "pages" ? fullAfter(nth, identity) : withFailure(lives, identity, nth, fault),
    [Symbol.asyncDispose]: () => lives[Symbol.asyncDispose](),
  };
}

async function withFailure(
  lives: Lives,
  identity: string,
  nth: number,
  { calls, code }: Fault,
): Promise<boolean> {
  const faults = openFaults();
  await using rig = await openRig({
    database: lives.open(),
    identity,
    pool: inlinePool(),
    wrap: (database) => (calls === "statements" ? failingDatabase(database, faults) : database),
  });
  const why = `${calls} ${nth} ${code}`;
  let came = false;
  {
    using _failing = calls === "files" ? failingFiles(faults) : undefined;
    faults.arm(nth, code);
    const unforeseen = await liveOnce(rig);
    came = faults.disarm();
    // An error the program has no word for ends its process; it is started again below.
    if (FORESEEN.has(code)) assert.deepEqual(unforeseen, [], why);
  }
  await converge(rig, why);
  return came;
}

/** A catalog that SQLite itself lets grow by `pages` and no more, which are small: a life needs many. */
async function fullAfter(pages: number, identity: string): Promise<boolean> {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "catalog.db");
  const empty = new DatabaseSync(path);
  empty.exec("pragma page_size = 512; vacuum");
  empty.close();
  const database = await openDatabase(path);
  let came = false;
  const noticing: Database["transaction"] = async (body) => {
    try {
      return await database.transaction(body);
    } catch (error) {
      came ||= error instanceof BewaardError && error.code === "CATALOG_FULL";
      throw error;
    }
  };
  const wrap = (): Database => ({ ...database, transaction: noticing });
  await using rig = await openRig({ database, identity, pool: inlinePool(), wrap });
  const pragma = async (text: string): Promise<number> => {
    const [row] = await database.transaction((sql) => sql.all(`pragma ${text}`));
    return Number(Object.values(row ?? {})[0]);
  };
  await pragma(`max_page_count = ${(await pragma("page_count")) + pages - 1}`);
  assert.deepEqual(await liveOnce(rig), [], `${pages} pages`);
  await pragma("max_page_count = 1000000");
  await converge(rig, `${pages} pages`);
  return came;
}

async function converge(rig: Rig, why: string): Promise<void> {
  // Twice: what was taken only after the failure is stored a turn later.
  const unforeseen = [...(await liveOnce(rig)), ...(await liveOnce(rig))];
  assert.deepEqual(unforeseen, [], why);
  await assertConverged(rig, why);
}
