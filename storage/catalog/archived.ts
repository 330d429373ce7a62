import type { Instant } from "#base/time";
import { append } from "../ledger/append.ts";
import { rootOver } from "../ledger/tree.ts";
import type { Gathered } from "./archive.ts";
import { number, text } from "./row.ts";
import type { Database, SqlRow } from "./sqlite.ts";

/** An archive on its way to the vault, or in it. */
export interface Archive {
  readonly batch: number;
  readonly key: string;
  readonly first: number;
  readonly last: number;
  /** SHA-256 of the sealed object, hex. */
  readonly sha256: string;
  readonly bytes: number;
}

/** Says that this archive, sealed and safe on the local disk, is going to the vault. */
export function intendArchive(
  database: Database,
  at: Instant,
  key: string,
  { first, last, lines, segments }: Gathered,
  sealed: { readonly sha256: string; readonly bytes: number },
): Promise<Archive> {
  return database.transaction(async (sql) => {
    const [made] = await sql.all(
      `insert into batch (kind, opened_at_ms, root, archive_key, first_seq, last_seq, archive_sha256, archive_bytes)
       values ('archived', $at, $root, $key, $first, $last, $sha256, $bytes) returning id`,
      {
        $at: at,
        $root: rootOver(lines),
        $key: key,
        $first: first,
        $last: last,
        $sha256: sealed.sha256,
        $bytes: sealed.bytes,
      },
    );
    const batch = number(made, "id");
    await sql.run(
      `insert into batch_row (batch_id, position, segment_id, body)
       select $batch, key, value, json_object('id', value) from json_each($segments)`,
      { $batch: batch, $segments: JSON.stringify(segments) },
    );
    return { batch, key, first, last, ...sealed };
  });
}

/** The archive that a crash, or a vault that is away, kept from getting there. */
export function archiveUnderWay(database: Database): Promise<Archive | undefined> {
  return oneArchive(database, "read_back_at_ms is null");
}

/** The newest archive in the vault. Not all of its rows may have left yet. */
export function newestArchive(database: Database): Promise<Archive | undefined> {
  return oneArchive(database, "read_back_at_ms is not null order by last_seq desc limit 1");
}

function oneArchive(database: Database, where: string): Promise<Archive | undefined> {
  return database.transaction(async (sql) => {
    const [row] = await sql.all(`select * from batch where kind = 'archived' and ${where}`);
    return row && archiveOf(row);
  });
}

/** Forgets an archive whose sealed file is not there any more; it is made again. */
export function forgetArchive(database: Database, { batch }: Archive): Promise<number> {
  return database.transaction(async (sql) => {
    await sql.run("delete from batch_row where batch_id = $batch", { $batch: batch });
    return sql.run("delete from batch where id = $batch", { $batch: batch });
  });
}

/** Records that the vault has the archive and that it was read back: from now on its rows may leave. */
export function recordArchived(database: Database, at: Instant, archive: Archive): Promise<void> {
  return database.transaction(async (sql) => {
    const { batch, key, first, last, sha256, bytes } = archive;
    const [row] = await sql.all(
      `select lower(hex(root)) as root, (select count(*) from batch_row where batch_id = $batch) as segments
       from batch where id = $batch and read_back_at_ms is null`,
      { $batch: batch },
    );
    if (!row) return;
    const segments = number(row, "segments");
    const facts = { batch, key, first, last, sha256, bytes, segments, root: text(row, "root") };
    const entry = await append(sql, at, [{ kind: "rows.archived", facts }]);
    await sql.run("update batch set read_back_at_ms = $at, entry_seq = $entry where id = $batch", {
      $at: at,
      $entry: entry,
      $batch: batch,
    });
  });
}

function archiveOf(row: SqlRow): Archive {
  return {
    batch: number(row, "id"),
    key: text(row, "archive_key"),
    first: number(row, "first_seq"),
    last: number(row, "last_seq"),
    sha256: text(row, "archive_sha256"),
    bytes: number(row, "archive_bytes"),
  };
}
