import { existsSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { checkpoint } from "../../daemon/checkpoint.ts";
import { migrate } from "../../storage/catalog/migrate.ts";
import { type Database, openDatabase } from "../../storage/catalog/sqlite.ts";
import { openTree } from "../../storage/ledger/append.ts";
import { parseVerifier, type VerifierKey, verifierText } from "../../storage/ledger/note.ts";
import { type Adopted, adoptFound } from "../../storage/restore/adopt-found.ts";
import { restoreBatches } from "../../storage/restore/batches.ts";
import { forgetMisplaced, noteFound } from "../../storage/restore/found.ts";
import { newestHead, restoreHeads } from "../../storage/restore/heads.ts";
import { restoreEntries } from "../../storage/restore/ledger.ts";
import { replay } from "../../storage/restore/replay.ts";
import { restoreSpoolCopies } from "../../storage/restore/spool-copies.ts";
import { settleStates } from "../../storage/restore/states.ts";
import { unsignedEntries } from "../../storage/restore/unsigned.ts";
import { NEVER, type Rig } from "./rig.ts";
import { turns } from "./turns.ts";

/** Signs the head and puts it, with all under it, into the vault. */
export async function publish(rig: Rig): Promise<void> {
  const { clock, signal } = turns(rig.clock, 1);
  const { events, database, vault, box, key, askHistory } = rig;
  await checkpoint(clock, events, database, vault, box.node, key, askHistory, signal);
}

/** A catalog made of what the vault of `rig` has, by the steps of daemon/rebuild.ts. */
export function rebuiltOf(rig: Rig): Promise<Adopted & { readonly database: Database }> {
  return rebuilt({ ...rig, verifier: parseVerifier(verifierText(rig.key)) });
}

/** What a rebuild goes by. */
export interface Lost extends Pick<Rig, "vault" | "spool" | "box" | "clock" | "folder"> {
  readonly verifier: VerifierKey;
}

/** `copy`: a catalog to go on from, and where the new one comes; else it is made of nothing. */
export async function rebuilt(
  lost: Lost,
  copy?: { readonly from: string; readonly into: string },
): Promise<Adopted & { readonly database: Database }> {
  const { vault, spool, box, clock, verifier } = lost;
  const { node, term } = box;
  const keys = [verifier];
  const path = copy?.into ?? join(lost.folder, "rebuilt.db");
  if (copy !== undefined) await copyOf(copy.from, path);
  const database = await openDatabase(path);
  await migrate(database);
  const from = await database.transaction(async (sql) => (await openTree(sql)).size);
  const newest = await newestHead(vault, node, keys, NEVER);
  if (newest === undefined) throw new Error("nothing was published");
  const { signed } = await restoreEntries(database, vault, node, newest.head, NEVER);
  const isUnsigned = await database.transaction((sql) => unsignedEntries(sql, signed));
  await restoreHeads(database, vault, node, keys, signed, NEVER);
  await restoreBatches(database, vault, node, isUnsigned, from, NEVER);
  await noteFound(database, vault, node, NEVER);
  await replay(database, isUnsigned, from, NEVER);
  await forgetMisplaced(database, node);
  await restoreSpoolCopies(database, spool, NEVER);
  await settleStates(database, clock.now());
  const found = await adoptFound(database, vault, node, term.termMs, clock.now(), NEVER);
  return { ...found, database };
}

/** As a machine that lost its power has it: the file, and its log where there is one. */
async function copyOf(from: string, into: string): Promise<void> {
  await copyFile(from, into);
  if (existsSync(`${from}-wal`)) await copyFile(`${from}-wal`, `${into}-wal`);
}
