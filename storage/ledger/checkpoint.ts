import type { Instant } from "#base/time";
import { moment, number, optional, text } from "../catalog/row.ts";
import type { Database, Sql } from "../catalog/sqlite.ts";
import { openTree } from "./append.ts";
import { type NodeKey, signNote, type VerifierKey, verifiedText } from "./note.ts";

/** A signed head: `note` says that the first `size` entries have this root (c2sp.org/tlog-checkpoint). */
export interface Checkpoint {
  readonly size: number;
  readonly note: string;
}

export interface Head {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
}

/** Signs the ledger as it stands and records it as still to publish. Undefined when nothing is new. */
export function signCheckpoint(
  database: Database,
  at: Instant,
  key: NodeKey,
): Promise<Checkpoint | undefined> {
  return database.transaction(async (sql) => {
    const tree = await openTree(sql);
    const [newest] = await sql.all("select coalesce(max(size), 0) as size from checkpoint");
    if (tree.size === number(newest, "size")) return undefined;
    const root = tree.root().toString("base64");
    const note = signNote(key, `${key.name}\n${tree.size}\n${root}\n`);
    await sql.run("insert into checkpoint (size, at_ms, note) values ($size, $at, $note)", {
      $size: tree.size,
      $at: at,
      $note: note,
    });
    return { size: tree.size, note };
  });
}

/** After months without the vault there are thousands: the rest is read another time. */
const UNPUBLISHED_AT_ONCE = 500;

/** Checkpoints the vault does not have yet, the oldest few, with the size of the one before. */
export function unpublishedCheckpoints(
  database: Database,
): Promise<readonly (Checkpoint & { readonly after: number })[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      `select size, note,
         coalesce((select max(size) from checkpoint before where before.size < checkpoint.size), 0) as after
       from checkpoint where published_at_ms is null order by size limit ${UNPUBLISHED_AT_ONCE}`,
    );
    return rows.map((row) => ({
      size: number(row, "size"),
      note: text(row, "note"),
      after: number(row, "after"),
    }));
  });
}

/** Records that the vault has the checkpoint and every entry under it. */
export function recordPublished(database: Database, size: number, at: Instant): Promise<number> {
  return database.transaction((sql) =>
    sql.run("update checkpoint set published_at_ms = $at where size = $size", {
      $at: at,
      $size: size,
    }),
  );
}

/** The newest signed head: when it was signed, and when the vault had it; undefined before the first. */
export function newestCheckpoint(
  database: Database,
): Promise<
  | { readonly size: number; readonly at: Instant; readonly publishedAt: Instant | undefined }
  | undefined
> {
  return database.transaction(async (sql) => {
    const [row] = await sql.all("select * from checkpoint order by size desc limit 1");
    if (row === undefined) return undefined;
    return {
      size: number(row, "size"),
      at: moment(row, "at_ms"),
      publishedAt: optional(row, "published_at_ms", moment),
    };
  });
}

/** How many entries there are, and which is the oldest under no signed head that the vault has; none when all are. */
export function oldestUnpublished(database: Database): Promise<{
  readonly size: number;
  readonly oldest: { readonly seq: number; readonly at: Instant } | undefined;
}> {
  return database.transaction(async (sql) => {
    const [newest] = await sql.all("select coalesce(max(seq) + 1, 0) as size from entry");
    // They are published in their order: what comes before the first that is not, is.
    const [row] = await sql.all(
      `select seq, at_ms from entry where seq = coalesce((
         select max(size) from checkpoint where size < coalesce(
           (select min(size) from checkpoint where published_at_ms is null), 9007199254740991)), 0)`,
    );
    const oldest = row && { seq: number(row, "seq"), at: moment(row, "at_ms") };
    return { size: number(newest, "size"), oldest };
  });
}

/** The newest signed head that the vault has; undefined before the first. */
export async function newestPublished(sql: Sql): Promise<Checkpoint | undefined> {
  const [row] = await sql.all(
    `select size, note from checkpoint where published_at_ms is not null
     order by size desc limit 1`,
  );
  return row && { size: number(row, "size"), note: text(row, "note") };
}

/** Entry bodies `from` ≤ seq < `to`, in order: the leaves as they were hashed. */
export function entryBodies(
  database: Database,
  from: number,
  to: number,
): Promise<readonly string[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      "select body from entry where seq >= $from and seq < $to order by seq",
      { $from: from, $to: to },
    );
    return rows.map((row) => text(row, "body"));
  });
}

/** Reads a checkpoint that `key` signed; undefined when the signature or the form is not right. */
export function readCheckpoint(key: VerifierKey, note: string): Head | undefined {
  const [origin, size, root] = verifiedText(key, note)?.split("\n") ?? [];
  if (origin !== key.name || !/^[1-9]\d*$/.test(size ?? "")) return undefined;
  return { origin, size: Number(size), root: Buffer.from(root ?? "", "base64") };
}
