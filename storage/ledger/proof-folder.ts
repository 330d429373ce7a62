import { BewaardError } from "#base/errors";
import type { SegmentId } from "#base/ids";
import { number, optional, text } from "../catalog/row.ts";
import type { Database, Sql, SqlRow } from "../catalog/sqlite.ts";
import { type Checkpoint, newestPublished } from "./checkpoint.ts";
import { publicPem, type VerifierKey, vkeyText } from "./note.ts";
import { consistencyProofText, rowProofText, tlogProofText } from "./proof-text.ts";
import { proveConsistency, proveInclusion, proveRow } from "./prove.ts";
import { newestTimestamp } from "./timestamps.ts";

/** A file of a proof folder (docs/ledger.md). */
interface ProofFile {
  readonly name: string;
  readonly content: string | Uint8Array;
}

/** What somebody needs who does not trust this box, and kinds of facts that no published checkpoint covers yet. */
export interface ProofFolder {
  readonly files: readonly ProofFile[];
  readonly waiting: readonly string[];
}

/** What is to be proven: everything the ledger says of a segment, or one entry. */
export type About = { readonly segment: SegmentId } | { readonly entry: number };

/**
 * Proves what the ledger says, under the newest checkpoint that the vault has.
 * @throws BewaardError LEDGER_NOT_FOUND when it says nothing, or when nothing of it is published yet (transient).
 */
export function proofFolder(
  database: Database,
  key: VerifierKey,
  about: About,
): Promise<ProofFolder> {
  return database.transaction(async (sql) => {
    const facts = "segment" in about ? await ofSegment(sql, about.segment) : await one(sql, about);
    const what = "segment" in about ? about.segment : `entry ${about.entry}`;
    if (facts.length === 0) throw nothingOf(what, await archiveOf(sql, about));
    const head = await newestPublished(sql);
    const covered = facts.filter((row) => number(row, "seq") < (head?.size ?? 0));
    const [first] = covered;
    if (head === undefined || first === undefined) {
      const message = `${what}: not under a published checkpoint yet; one comes each 15 minutes`;
      throw new BewaardError("LEDGER_NOT_FOUND", message, { transient: true });
    }
    const files: ProofFile[] = [
      { name: "node.vkey", content: `${vkeyText(key)}\n` },
      { name: "node.pem", content: publicPem(key) },
      { name: "checkpoint", content: head.note },
    ];
    for (const row of covered) files.push(...(await factFiles(sql, row, head)));
    files.push(...(await olderFiles(sql, number(first, "seq"), head)));
    files.push(...(await timestampFiles(sql, head)));
    const waiting = facts.slice(covered.length).map((row) => text(row, "kind"));
    return { files, waiting };
  });
}

/** The archive in which this entry is, or the newest of all where nobody can say which; undefined before the first. */
async function archiveOf(sql: Sql, about: About): Promise<string | undefined> {
  const [row] = await sql.all(
    `select archive_key from batch where kind = 'archived' and read_back_at_ms is not null
       and ($entry is null or $entry between first_seq and last_seq)
     order by last_seq desc limit 1`,
    { $entry: "entry" in about ? about.entry : null },
  );
  return row && text(row, "archive_key");
}

function nothingOf(what: string, archive: string | undefined): BewaardError {
  const where =
    archive === undefined ? "" : `; what left it lies in archives in the vault, such as ${archive}`;
  return new BewaardError(
    "LEDGER_NOT_FOUND",
    `the ledger of this box says nothing of ${what}${where}`,
  );
}

function one(sql: Sql, { entry }: { readonly entry: number }): Promise<readonly SqlRow[]> {
  return sql.all(
    `select seq, kind, body, null as batch_id, null as position from entry where seq = $seq`,
    { $seq: entry },
  );
}

/** In order: the sealing, and each change of state that stands as a row under a batch's entry. */
function ofSegment(sql: Sql, id: SegmentId): Promise<readonly SqlRow[]> {
  return sql.all(
    `select entry.seq, entry.kind, entry.body, null as batch_id, null as position
     from segment join entry on entry.seq = segment.entry_seq where segment.id = $id
     union all
     select entry.seq, entry.kind, entry.body, batch_id, position
     from batch_row join batch on batch.id = batch_id join entry on entry.seq = batch.entry_seq
     where segment_id = $id and batch.kind <> 'archived'
     order by 1, 5`,
    { $id: id },
  );
}

async function factFiles(sql: Sql, row: SqlRow, head: Checkpoint): Promise<readonly ProofFile[]> {
  const seq = number(row, "seq");
  const stem = `${seq}-${text(row, "kind")}`;
  const path = await proveInclusion(sql, seq, head.size);
  const proof = tlogProofText({ index: seq, path, checkpoint: head.note });
  const files = [
    { name: `${stem}.entry`, content: text(row, "body") },
    { name: `${stem}.tlog-proof`, content: proof },
  ];
  const batch = optional(row, "batch_id", number);
  if (batch === undefined) return files;
  const index = number(row, "position");
  const rows = await sql.all("select body from batch_row where batch_id = $id order by position", {
    $id: batch,
  });
  const bodies = rows.map((leaf) => text(leaf, "body"));
  const rowPath = proveRow(bodies, index);
  return [
    ...files,
    { name: `${stem}.${index}.row`, content: bodies[index] ?? "" },
    { name: `${stem}.${index}.row-proof`, content: rowProofText({ index, path: rowPath }) },
  ];
}

/** The head that first covered `seq`, or else the one before the newest: the ledger only grew since. */
async function olderFiles(sql: Sql, seq: number, head: Checkpoint): Promise<readonly ProofFile[]> {
  const [row] = await sql.all(
    `select size, note from checkpoint where size < $newest
     order by size > $seq desc, case when size > $seq then size else -size end limit 1`,
    { $newest: head.size, $seq: seq },
  );
  if (row === undefined) return [];
  const older = { size: number(row, "size"), note: text(row, "note") };
  return headFiles(sql, "older", older, head);
}

async function timestampFiles(sql: Sql, head: Checkpoint): Promise<readonly ProofFile[]> {
  const newest = await newestTimestamp(sql);
  if (newest === undefined) return [];
  const files = await headFiles(sql, "timestamped", newest, head);
  return [...files, { name: "timestamped.tsr", content: newest.reply }];
}

async function headFiles(
  sql: Sql,
  stem: string,
  older: Checkpoint,
  head: Checkpoint,
): Promise<readonly ProofFile[]> {
  const path = await proveConsistency(sql, older.size, head.size);
  const proof = consistencyProofText({ from: older.size, to: head.size, path });
  return [
    { name: `${stem}.checkpoint`, content: older.note },
    { name: `${stem}.consistency`, content: proof },
  ];
}
