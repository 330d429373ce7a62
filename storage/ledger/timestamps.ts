import type { Instant } from "#base/time";
import { isoOf } from "#base/time";
import { bytes, moment, number, text } from "../catalog/row.ts";
import type { Database, Sql } from "../catalog/sqlite.ts";
import { append } from "./append.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { newestPublished } from "./checkpoint.ts";

/** An authority's word on when a checkpoint was there. */
export interface Timestamp {
  /** Of the checkpoint. */
  readonly size: number;
  readonly toldAt: Instant;
  /** TimeStampResp (RFC 3161), DER. */
  readonly reply: Buffer;
}

/** The newest published checkpoint, and when a timestamp was last got; undefined when it has one already. */
export function checkpointToStamp(
  database: Database,
): Promise<(Checkpoint & { readonly lastAskedAt: Instant | undefined }) | undefined> {
  return database.transaction(async (sql) => {
    const newest = await newestPublished(sql);
    if (newest === undefined) return undefined;
    const [last] = await sql.all("select * from timestamp order by size desc limit 1");
    if (last === undefined) return { ...newest, lastAskedAt: undefined };
    if (number(last, "size") === newest.size) return undefined;
    return { ...newest, lastAskedAt: moment(last, "asked_at_ms") };
  });
}

/** Records a verified timestamp with its ledger entry, as still to publish. */
export async function recordTimestamp(
  database: Database,
  at: Instant,
  { size, toldAt, reply }: Timestamp,
  digest: string,
): Promise<void> {
  await database.transaction(async (sql) => {
    const facts = { size, toldAt: isoOf(toldAt), sha256: digest };
    const entry = await append(sql, at, [{ kind: "checkpoint.timestamped", facts }]);
    await sql.run(
      `insert into timestamp (size, asked_at_ms, told_at_ms, reply, entry_seq)
       values ($size, $at, $toldAt, $reply, $entry)`,
      { $size: size, $at: at, $toldAt: toldAt, $reply: reply, $entry: entry },
    );
  });
}

/** Timestamps that the vault does not have yet. */
export function unpublishedTimestamps(database: Database): Promise<readonly Timestamp[]> {
  return database.transaction(async (sql) => {
    const rows = await sql.all(
      "select * from timestamp where published_at_ms is null order by size",
    );
    return rows.map((row) => ({
      size: number(row, "size"),
      toldAt: moment(row, "told_at_ms"),
      reply: bytes(row, "reply"),
    }));
  });
}

export async function recordTimestampPublished(
  database: Database,
  size: number,
  at: Instant,
): Promise<void> {
  await database.transaction((sql) =>
    sql.run("update timestamp set published_at_ms = $at where size = $size", {
      $at: at,
      $size: size,
    }),
  );
}

/** The newest timestamp with the checkpoint it is over; undefined before the first. */
export async function newestTimestamp(
  sql: Sql,
): Promise<(Timestamp & { readonly note: string }) | undefined> {
  const [row] = await sql.all(
    `select timestamp.*, checkpoint.note from timestamp join checkpoint using (size)
     order by size desc limit 1`,
  );
  return (
    row && {
      size: number(row, "size"),
      toldAt: moment(row, "told_at_ms"),
      reply: bytes(row, "reply"),
      note: text(row, "note"),
    }
  );
}
