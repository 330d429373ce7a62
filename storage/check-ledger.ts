import { archivedTo } from "./catalog/archive.ts";
import { readRebuilt } from "./catalog/rebuilt.ts";
import { bytes, number, optional, text } from "./catalog/row.ts";
import type { Database, Sql } from "./catalog/sqlite.ts";
import { checkArchived } from "./check-archived.ts";
import { type Finding, type Findings, openFindings } from "./findings.ts";
import { commitmentTo, openTree } from "./ledger/append.ts";
import { readCheckpoint } from "./ledger/checkpoint.ts";
import { parseVerifier, type VerifierKey } from "./ledger/note.ts";
import { leafHash, rootOver } from "./ledger/tree.ts";

const PAGE = 2000;
const BATCHES = 200;

/**
 * Recomputes the tree from the entries and compares it with its stored nodes, with every signed
 * checkpoint, and every closed batch with its entry (invariant 5). One pass over the entries, on a
 * snapshot of the catalog; what lies in the archive by the nodes that were kept.
 */
export async function checkLedger(
  database: Database,
  verifier: VerifierKey,
  onEntries: (done: number) => void = () => undefined,
): Promise<{ findings: readonly Finding[]; count: number; entries: number }> {
  const findings = openFindings();
  const entries = await database.aside(async (sql) => {
    const size = await checkTree(sql, verifier, findings, onEntries);
    await checkDetails(sql, findings);
    await checkBatches(sql, findings);
    return size;
  });
  return { findings: findings.first, count: findings.count, entries };
}

async function checkTree(
  sql: Sql,
  verifier: VerifierKey,
  findings: Findings,
  onEntries: (done: number) => void,
): Promise<number> {
  const signed = await signedHeads(sql, verifier, findings);
  const archived = await archivedTo(sql);
  const tree = await checkArchived(sql, signed, findings);
  if (tree.size !== archived) return archived;
  for (;;) {
    const rows = await page(sql, tree.size);
    for (const row of rows) {
      if (number(row, "seq") !== tree.size) {
        findings.add(5, `ledger entry ${tree.size} is missing`);
        return tree.size;
      }
      tree.append(leafHash(text(row, "body")));
      const head = signed.get(tree.size);
      if (head && !head.equals(tree.root()))
        findings.add(5, `the checkpoint of ${tree.size} entries has another root`);
    }
    onEntries(tree.size);
    if (rows.length < PAGE) break;
  }
  const stored = await openTree(sql);
  if (!stored.root().equals(tree.root()))
    findings.add(5, "the stored tree is not the tree of the entries");
  for (const size of signed.keys()) {
    if (size > tree.size) findings.add(5, `a checkpoint of ${size} entries, which are not there`);
  }
  return tree.size;
}

function page(sql: Sql, from: number) {
  return sql.all("select seq, body from entry where seq >= $from order by seq limit $page", {
    $from: from,
    $page: PAGE,
  });
}

async function signedHeads(
  sql: Sql,
  verifier: VerifierKey,
  findings: Findings,
): Promise<ReadonlyMap<number, Buffer>> {
  const heads = new Map<number, Buffer>();
  const rebuilt = await readRebuilt(sql);
  const former = rebuilt?.signers.map(parseVerifier) ?? [];
  for (const row of await sql.all("select size, note from checkpoint")) {
    const size = number(row, "size");
    // What this ledger was made from was signed by the key of the box that was lost.
    const keys = size <= (rebuilt?.signed ?? 0) ? [verifier, ...former] : [verifier];
    const head = keys.map((key) => readCheckpoint(key, text(row, "note"))).find(Boolean);
    if (head?.size === size) heads.set(size, head.root);
    else findings.add(5, `the checkpoint of ${size} entries is not signed by this node`);
  }
  return heads;
}

/** What lies beside the tree is what its entry committed to. */
async function checkDetails(sql: Sql, findings: Findings): Promise<void> {
  const rows = await sql.all(
    `select entry_seq, salt, detail.body as said, entry.body ->> 'detail' as told from detail
     join entry on entry.seq = detail.entry_seq`,
  );
  for (const row of rows) {
    if (commitmentTo(bytes(row, "salt"), text(row, "said")) === optional(row, "told", text))
      continue;
    findings.add(5, `the detail of ledger entry ${number(row, "entry_seq")} is another one`);
  }
}

async function checkBatches(sql: Sql, findings: Findings): Promise<void> {
  let after = -1;
  for (;;) {
    const batches = await sql.all(
      `select batch.id, batch.kind, batch.root, entry.body ->> 'root' as told from batch
       join entry on entry.seq = batch.entry_seq
       where batch.id > $after order by batch.id limit ${BATCHES}`,
      { $after: after },
    );
    for (const batch of batches) {
      after = number(batch, "id");
      // The lines of an archive are in the vault; its rows here only name what left.
      const root =
        text(batch, "kind") === "archived" ? bytes(batch, "root") : await rowsRoot(sql, after);
      if (
        root.equals(bytes(batch, "root")) &&
        root.toString("hex") === optional(batch, "told", text)
      )
        continue;
      findings.add(5, `the rows of batch ${after} do not hash to its ledger entry`);
    }
    if (batches.length < BATCHES) return;
  }
}

async function rowsRoot(sql: Sql, batch: number): Promise<Buffer> {
  const rows = await sql.all("select body from batch_row where batch_id = $id order by position", {
    $id: batch,
  });
  return rootOver(rows.map((row) => text(row, "body")));
}
