import type { NodeId } from "#base/ids";
import { number, text } from "../catalog/row.ts";
import type { Database } from "../catalog/sqlite.ts";
import { type Head, readCheckpoint } from "../ledger/checkpoint.ts";
import { parseVerifier, type VerifierKey } from "../ledger/note.ts";
import { rootAt } from "../ledger/prove.ts";
import { readText } from "../vault/body.ts";
import { checkpointPrefix, checkpointSizeOf } from "../vault/keys.ts";
import type { ObjectVersion, Vault } from "../vault/vault.ts";
import { broken } from "./ledger.ts";
import { factsOf } from "./told.ts";

/** The newest signed head in the vault, the note it is written in, and the key that signed it. */
export interface SignedHead {
  readonly head: Head;
  readonly note: string;
  readonly signer: VerifierKey;
}

/**
 * Reads the newest checkpoint of `node`: one of `keys` must have signed it. Undefined where there is none.
 * @throws BewaardError LEDGER_BROKEN when nobody of them has.
 */
export async function newestHead(
  vault: Vault,
  node: NodeId,
  keys: readonly VerifierKey[],
  signal: AbortSignal,
): Promise<SignedHead | undefined> {
  const newest = (await checkpointsOf(vault, node, signal)).at(-1);
  if (newest === undefined) return undefined;
  const note = await readText(vault, newest.key, newest.versionId, signal);
  for (const signer of keys) {
    const head = readCheckpoint(signer, note);
    if (head && head.size === checkpointSizeOf(newest.key)) return { head, note, signer };
  }
  throw broken(`no key that is known here has signed ${newest.key}`);
}

/** One version of each, by size: of several versions under one key the first is the one. */
async function checkpointsOf(
  vault: Vault,
  node: NodeId,
  signal: AbortSignal,
): Promise<readonly ObjectVersion[]> {
  const all: ObjectVersion[] = [];
  for await (const version of vault.list(checkpointPrefix(node), signal)) {
    if (checkpointSizeOf(version.key) !== undefined && all.at(-1)?.key !== version.key)
      all.push(version);
  }
  return all;
}

/**
 * Records every checkpoint that the vault has and the catalog does not know there, after comparing its signature and its root with the entries
 * that were restored. The first `signed` entries are under the newest.
 * @throws BewaardError LEDGER_BROKEN for one that does not belong to them.
 */
export async function restoreHeads(
  database: Database,
  vault: Vault,
  node: NodeId,
  keys: readonly VerifierKey[],
  signed: number,
  signal: AbortSignal,
): Promise<number> {
  const known = [...keys, ...(await formerKeys(database, signed))];
  const there = await publishedHeads(database);
  const versions = await checkpointsOf(vault, node, signal);
  for (const { key, versionId } of versions) {
    if (there.has(checkpointSizeOf(key) ?? 0)) continue;
    const note = await readText(vault, key, versionId, signal);
    const head = known.map((one) => readCheckpoint(one, note)).find((one) => one !== undefined);
    if (head === undefined || head.size !== checkpointSizeOf(key))
      throw broken(`no key that is known here has signed ${key}`);
    await database.transaction(async (sql) => {
      if (!head.root.equals(await rootAt(sql, head.size)))
        throw broken(`${key} is not of the entries in the vault`);
      const [entry] = await sql.all("select at_ms from entry where seq = $seq", {
        $seq: head.size - 1,
      });
      const $at = number(entry, "at_ms");
      await sql.run(
        `insert into checkpoint (size, at_ms, note, published_at_ms) values ($size, $at, $note, $at)
         on conflict (size) do update set published_at_ms = excluded.published_at_ms`,
        { $size: head.size, $at, $note: note },
      );
    });
  }
  return versions.length;
}

async function publishedHeads(database: Database): Promise<ReadonlySet<number>> {
  const rows = await database.transaction((sql) =>
    sql.all("select size from checkpoint where published_at_ms is not null"),
  );
  return new Set(rows.map((row) => number(row, "size")));
}

/** The newest head that a catalog knows to have left its box; 0 where there is none. */
export async function newestPublished(database: Database): Promise<number> {
  return Math.max(0, ...(await publishedHeads(database)));
}

/** Keys of this node before its key was replaced: each later rebuild says whose head it went by, under a head. */
export async function formerKeys(
  database: Database,
  signed: number,
): Promise<readonly VerifierKey[]> {
  const rows = await database.transaction((sql) =>
    sql.all("select body from entry where kind = 'catalog.rebuilt' and seq < $signed", {
      $signed: signed,
    }),
  );
  return rows.map((row) => parseVerifier(String(factsOf(text(row, "body"))["signer"])));
}
