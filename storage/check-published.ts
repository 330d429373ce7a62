import type { NodeId } from "#base/ids";
import { number, text } from "./catalog/row.ts";
import type { Database, Sql } from "./catalog/sqlite.ts";
import type { Kept } from "./check.ts";
import { type Findings, openFindings } from "./findings.ts";
import { type Head, readCheckpoint } from "./ledger/checkpoint.ts";
import type { VerifierKey } from "./ledger/note.ts";
import { rootAt } from "./ledger/prove.ts";
import { readText } from "./vault/body.ts";
import { checkpointPrefix, checkpointSizeOf } from "./vault/keys.ts";
import type { ObjectVersion, Vault } from "./vault/vault.ts";

/** How the ledger here and the one that has left this box stand to each other. */
export interface Published {
  /** Why the vault's newest checkpoint is not a head of the ledger here; undefined when it is one. */
  readonly diverged: string | undefined;
  /** Sizes of checkpoints that were published and that the vault has no more. */
  readonly missing: readonly number[];
}

/**
 * Compares the vault's newest checkpoint with the ledger here: it must be signed by this node, and be the
 * head of its first entries. A catalog that was set back to an earlier state is behind it, or, once it has
 * gone on, has another root. Reads one listing and one object.
 * @throws BewaardError VAULT_UNAVAILABLE, VAULT_IDENTITY (transient) when nobody knows.
 */
export async function checkPublished(
  database: Database,
  vault: Vault,
  node: NodeId,
  verifier: VerifierKey,
  signal: AbortSignal,
): Promise<Published> {
  // Before the listing: what is published while it runs is not missing from it.
  const published = await database.transaction(publishedSizes);
  const sizes = new Set<number>();
  let size = 0;
  let newest: ObjectVersion | undefined;
  // There is one for each quarter of an hour of years.
  for await (const version of vault.list(checkpointPrefix(node), signal)) {
    const itsSize = checkpointSizeOf(version.key);
    if (itsSize === undefined) continue;
    sizes.add(itsSize);
    // Of several versions under one key the first is the checkpoint: it is put once.
    if (itsSize > size) [size, newest] = [itsSize, version];
  }
  const missing = published.filter((one) => !sizes.has(one));
  if (newest === undefined) return { diverged: undefined, missing };
  const note = await readText(vault, newest.key, newest.versionId, signal);
  const diverged = await database.transaction((sql) => divergence(sql, verifier, size, note));
  return { diverged, missing };
}

/** What is not as it should be with the ledger that has left this box (invariant 5). */
export async function publishedFindings(
  { database, vault, node, verifier }: Omit<Kept, "spool" | "secured">,
  signal: AbortSignal,
): Promise<Pick<Findings, "count"> & { readonly findings: Findings["first"] }> {
  const findings = openFindings();
  const { diverged, missing } = await checkPublished(database, vault, node, verifier, signal);
  if (diverged !== undefined) findings.add(5, diverged);
  for (const size of missing)
    findings.add(5, `the vault has no checkpoint of ${size} entries any more`);
  return { findings: findings.first, count: findings.count };
}

async function publishedSizes(sql: Sql): Promise<readonly number[]> {
  const rows = await sql.all(
    "select size from checkpoint where published_at_ms is not null order by size",
  );
  return rows.map((row) => number(row, "size"));
}

async function divergence(
  sql: Sql,
  verifier: VerifierKey,
  size: number,
  note: string,
): Promise<string | undefined> {
  const [entries] = await sql.all("select coalesce(max(seq) + 1, 0) as size from entry");
  const here = number(entries, "size");
  if (size > here) return `the vault's newest checkpoint has ${size} entries, this box ${here}`;
  const head = readCheckpoint(verifier, note) ?? (await ownHead(sql, size, note));
  if (head === undefined || head.size !== size)
    return `the vault's newest checkpoint, of ${size} entries, is not signed by this box`;
  if (head.root.equals(await rootAt(sql, size))) return undefined;
  return `the vault's newest checkpoint, of ${size} entries, has another root than the ledger here`;
}

/** A head that this catalog itself signed and recorded counts also after the node's key was replaced. */
async function ownHead(sql: Sql, size: number, note: string): Promise<Head | undefined> {
  const [row] = await sql.all("select note from checkpoint where size = $size", { $size: size });
  if (row === undefined || text(row, "note") !== note) return undefined;
  const [origin = "", , root = ""] = note.split("\n");
  return { origin, size, root: Buffer.from(root, "base64") };
}
