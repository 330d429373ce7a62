import { bytes, number, optional, text } from "./catalog/row.ts";
import type { Database } from "./catalog/sqlite.ts";
import type { Finding } from "./check.ts";
import { openTree } from "./ledger/append.ts";
import { readCheckpoint } from "./ledger/checkpoint.ts";
import type { VerifierKey } from "./ledger/note.ts";
import { leafHash, openAppender, rootOver } from "./ledger/tree.ts";

const PAGE = 10_000;

/**
 * Recomputes the tree from the entries and compares it with its stored nodes, with every signed
 * checkpoint, and every closed batch with its entry (invariant 5). One pass over the entries.
 */
export async function checkLedger(
  database: Database,
  verifier: VerifierKey,
): Promise<{ findings: readonly Finding[]; entries: number }> {
  const findings: Finding[] = [];
  const signed = await signedHeads(database, verifier, findings);
  const tree = openAppender(0, []);
  for (;;) {
    const rows = await page(database, tree.size);
    for (const row of rows) {
      if (number(row, "seq") !== tree.size) {
        findings.push({ invariant: 5, what: `ledger entry ${tree.size} is missing` });
        return { findings, entries: tree.size };
      }
      tree.append(leafHash(text(row, "body")));
      const head = signed.get(tree.size);
      if (head && !head.equals(tree.root())) {
        findings.push({
          invariant: 5,
          what: `the checkpoint of ${tree.size} entries has another root`,
        });
      }
    }
    if (rows.length < PAGE) break;
  }
  const stored = await database.transaction(openTree);
  if (!stored.root().equals(tree.root())) {
    findings.push({ invariant: 5, what: "the stored tree is not the tree of the entries" });
  }
  for (const size of signed.keys()) {
    if (size > tree.size)
      findings.push({ invariant: 5, what: `a checkpoint of ${size} entries, which are not there` });
  }
  findings.push(...(await checkBatches(database)));
  return { findings, entries: tree.size };
}

function page(database: Database, from: number) {
  return database.transaction((sql) =>
    sql.all("select seq, body from entry where seq >= $from order by seq limit $page", {
      $from: from,
      $page: PAGE,
    }),
  );
}

async function signedHeads(
  database: Database,
  verifier: VerifierKey,
  findings: Finding[],
): Promise<ReadonlyMap<number, Buffer>> {
  const rows = await database.transaction((sql) => sql.all("select size, note from checkpoint"));
  const heads = new Map<number, Buffer>();
  for (const row of rows) {
    const size = number(row, "size");
    const head = readCheckpoint(verifier, text(row, "note"));
    if (head?.size === size) heads.set(size, head.root);
    else
      findings.push({
        invariant: 5,
        what: `the checkpoint of ${size} entries is not signed by this node`,
      });
  }
  return heads;
}

async function checkBatches(database: Database): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const batches = await database.transaction((sql) =>
    sql.all(
      `select batch.id, batch.root, entry.body ->> 'root' as told from batch
       join entry on entry.seq = batch.entry_seq where batch.kind <> 'archived'`,
    ),
  );
  for (const batch of batches) {
    const id = number(batch, "id");
    const rows = await database.transaction((sql) =>
      sql.all("select body from batch_row where batch_id = $id order by position", { $id: id }),
    );
    const root = rootOver(rows.map((row) => text(row, "body"))).toString("hex");
    if (root !== bytes(batch, "root").toString("hex") || root !== optional(batch, "told", text)) {
      findings.push({
        invariant: 5,
        what: `the rows of batch ${id} do not hash to its ledger entry`,
      });
    }
  }
  return findings;
}
