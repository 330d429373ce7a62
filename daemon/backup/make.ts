import { rm, stat } from "node:fs/promises";
import { BewaardError } from "#base/errors";
import type { NodeId } from "#base/ids";
import { step } from "#base/step";
import { type Clock, type Instant, isoOf } from "#base/time";
import { readText } from "../../config/load.ts";
import { writeFact } from "../../storage/catalog/facts.ts";
import { writeSnapshot } from "../../storage/catalog/snapshot.ts";
import type { Database } from "../../storage/catalog/sqlite.ts";
import { append } from "../../storage/ledger/append.ts";
import type { NodeKey } from "../../storage/ledger/note.ts";
import { oneKind } from "../../storage/seal/recipients.ts";
import { sealStream } from "../../storage/seal/seal-stream.ts";
import { fileBody, readThrough, textBody } from "../../storage/vault/body.ts";
import { backupKey, backupNoteKey } from "../../storage/vault/keys.ts";
import { FREELY, type Vault } from "../../storage/vault/vault.ts";
import { backupText } from "./known.ts";
import { signBackup } from "./note.ts";
import { backupRoom } from "./room.ts";

/** What a backup needs beside the catalog. */
export interface BackedUp {
  readonly node: NodeId;
  readonly key: NodeKey;
  /** How long footage is kept: no backup knows of it for longer. */
  readonly termMs: number;
  /** Where the catalog lies: beside it a backup is made. */
  readonly catalog: string;
  /** Where the copy of the catalog lies while it is sealed, and the sealed one until the vault has it. */
  readonly copy: string;
  readonly sealed: string;
  /** File with the public recovery keys; undefined where nobody has one, and nothing is made. */
  readonly recipients: string | undefined;
  /** The spool's folder, and what is kept free for it on its file system. */
  readonly spool: string;
  readonly keepFreeBytes: number;
}

/** What was made. */
export interface Made {
  readonly key: string;
  readonly at: Instant;
  readonly sealedBytes: number;
}

/**
 * Copies the catalog, seals the copy to the recovery key and puts it into the vault, with what this node signed of it,
 * and an entry in the ledger (procedure "Back up"). Cut off anywhere the next one begins anew.
 * @throws BewaardError CATALOG_FULL (transient) while the disk has no room for it, RECIPIENT_INVALID, and what the
 * vault throws.
 */
export async function makeBackup(
  clock: Clock,
  database: Database,
  vault: Vault,
  box: BackedUp,
  signal: AbortSignal,
): Promise<Made> {
  try {
    await removeLeft(box);
    await requireRoom(box);
    const recipients = await readRecoveryKeys(box.recipients);
    const at = clock.now();
    const key = backupKey(box.node, at);
    // Before the whole catalog is copied: a vault that is away says so now.
    await vault.versions(key);
    await writeSnapshot(database, box.copy);
    step("backup.copied");
    const { size } = await stat(box.copy);
    const sealed = await sealStream(recipients, readThrough(box.copy, size), box.sealed, signal);
    step("backup.sealed");
    const body = fileBody(box.sealed, sealed.ciphertextBytes, sealed.parts);
    await vault.put(key, body, FREELY, signal);
    step("backup.put");
    const { plaintextSha256: sha256, plaintextBytes: bytes } = sealed;
    const told = {
      bewaard: "backup/1",
      node: box.node,
      key,
      at: isoOf(at),
      bytes,
      sha256,
    } as const;
    await vault.put(backupNoteKey(key), textBody(signBackup(box.key, told)), FREELY, signal);
    step("backup.noted");
    await recordMade(database, clock.now(), { key, at }, { bytes, sha256 });
    step("backup.recorded");
    return { key, at, sealedBytes: sealed.ciphertextBytes };
  } finally {
    await removeLeft(box);
  }
}

async function recordMade(
  database: Database,
  now: Instant,
  { key, at }: Pick<Made, "key" | "at">,
  digest: { readonly bytes: number; readonly sha256: string },
): Promise<void> {
  await database.transaction(async (sql) => {
    await append(sql, now, [{ kind: "backup.made", facts: { key, ...digest } }]);
    await writeFact(sql, "backup", backupText({ at, made: true }));
  });
}

/** What a backup that was cut off left behind. */
export async function removeLeft({ copy, sealed }: BackedUp): Promise<void> {
  // SQLite's own files beside the copy, where it was stopped while it wrote.
  for (const path of [copy, `${copy}-journal`, `${copy}-wal`, sealed])
    await rm(path, { force: true });
}

async function requireRoom(box: BackedUp): Promise<void> {
  const { neededBytes, freeBytes } = await backupRoom(box);
  if (freeBytes >= neededBytes) return;
  const message = `a backup needs ${neededBytes} bytes free on the catalog's disk, and ${freeBytes} are`;
  throw new BewaardError("CATALOG_FULL", message, { transient: true });
}

/**
 * The public recovery keys, a line each; blank lines and those with `#` are skipped. All of one kind.
 * @throws BewaardError CONFIG_MISSING, RECIPIENT_INVALID, RECIPIENT_MIXED.
 */
export async function readRecoveryKeys(path: string | undefined): Promise<readonly string[]> {
  if (path === undefined) throw new BewaardError("RECIPIENT_MISSING", "there is no recovery key");
  const lines = (await readText(path)).split("\n").map((line) => line.trim());
  const recipients = lines.filter((line) => line !== "" && !line.startsWith("#"));
  oneKind(recipients);
  return recipients;
}
