import { createHash } from "node:crypto";
import { open, rm } from "node:fs/promises";
import type { Decrypter } from "age-encryption";
import { diskError } from "#base/disk-errors";
import { BewaardError } from "#base/errors";
import type { NodeId } from "#base/ids";
import { progress } from "#base/progress";
import { step } from "#base/step";
import { fileDamage } from "../../storage/catalog/check-file.ts";
import { openDatabase } from "../../storage/catalog/sqlite.ts";
import type { VerifierKey } from "../../storage/ledger/note.ts";
import { openSealed } from "../../storage/seal/open.ts";
import { readText } from "../../storage/vault/body.ts";
import { backupAt, backupNoteKey, backupPrefix } from "../../storage/vault/keys.ts";
import type { ObjectVersion, Vault } from "../../storage/vault/vault.ts";
import { type BackupNote, brokenBackup, readBackupNote } from "../backup/note.ts";

/** A backup that was looked at and could not be used, and why. */
export interface Refused {
  readonly key: string;
  readonly code: string;
}

export interface OpenedBackup {
  readonly key: string;
  /** Those that are newer, newest first. */
  readonly refused: readonly Refused[];
}

/** What says of one backup that it is none of ours, or not whole any more; the one before it may be. */
const OF_ONE: ReadonlySet<string> = new Set([
  "BACKUP_BROKEN",
  "CATALOG_DAMAGED",
  "SEAL_BROKEN",
  "SEAL_NOT_FOR_US",
  "VAULT_CORRUPT",
  "VAULT_NOT_FOUND",
]);

/**
 * Writes the newest backup of `node` that can be used to the new file `path`: sealed to this identity, whole, and
 * with the digest that one of `keys` signed.
 * @throws BewaardError BACKUP_NOT_FOUND, SEAL_NOT_FOR_US when no backup opens with this identity, BACKUP_BROKEN when
 * none can be used, SPOOL_FULL, SPOOL_IO, VAULT_UNAVAILABLE.
 */
export async function openNewestBackup(
  vault: Vault,
  node: NodeId,
  keys: readonly VerifierKey[],
  decrypter: Decrypter,
  path: string,
  signal: AbortSignal,
): Promise<OpenedBackup> {
  const refused: Refused[] = [];
  for (const version of await backupsOf(vault, node, signal)) {
    try {
      await openOne(vault, keys, decrypter, version, path, signal);
      step("restore.opened");
      return { key: version.key, refused };
    } catch (error) {
      await rm(path, { force: true });
      if (!(error instanceof BewaardError && OF_ONE.has(error.code))) throw error;
      refused.push({ key: version.key, code: error.code });
    }
  }
  throw noneOf(node, refused);
}

function noneOf(node: NodeId, refused: readonly Refused[]): BewaardError {
  const [newest] = refused;
  if (newest === undefined)
    return new BewaardError("BACKUP_NOT_FOUND", `the vault has no backup of ${node}`);
  const message = `none of the ${refused.length} backups of ${node} can be used`;
  if (refused.every(({ code }) => code === "SEAL_NOT_FOR_US"))
    return new BewaardError("SEAL_NOT_FOR_US", `${message}: they are sealed to another key`);
  const shown = refused.slice(0, 3).map(({ key, code }) => `${key}: ${code}`);
  return brokenBackup(`${message} (${shown.join("; ")})`);
}

/** Newest first; of several versions under one key the first, whatever somebody wrote over it later. */
async function backupsOf(
  vault: Vault,
  node: NodeId,
  signal: AbortSignal,
): Promise<readonly ObjectVersion[]> {
  const found: ObjectVersion[] = [];
  for await (const version of vault.list(backupPrefix(node), signal)) {
    const isBackup = version.key.endsWith(".age") && backupAt(version.key) !== undefined;
    if (isBackup && found.at(-1)?.key !== version.key) found.push(version);
  }
  return found.toReversed();
}

async function openOne(
  vault: Vault,
  keys: readonly VerifierKey[],
  decrypter: Decrypter,
  { key, versionId }: ObjectVersion,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const [noted] = await vault.versions(backupNoteKey(key));
  if (noted === undefined) throw brokenBackup(`${key} has no note beside it`);
  const note = readBackupNote(keys, key, await readText(vault, noted.key, noted.versionId, signal));
  const plaintext = openSealed(vault.read(key, versionId, signal), decrypter);
  await writePlaintext(plaintext, note, path);
  await requireSound(path, signal);
}

async function writePlaintext(
  plaintext: AsyncIterable<Uint8Array>,
  { key, bytes, sha256 }: BackupNote,
  path: string,
): Promise<void> {
  const hash = createHash("sha256");
  let written = 0;
  await using file = await open(path, "wx", 0o600);
  for await (const chunk of plaintext) {
    written += chunk.length;
    // Whoever gives more need never end.
    if (written > bytes) break;
    hash.update(chunk);
    await write(file, chunk);
    progress();
  }
  if (written !== bytes || hash.digest("hex") !== sha256)
    throw brokenBackup(`${key} is not the backup that was signed`);
}

async function write(file: Awaited<ReturnType<typeof open>>, chunk: Uint8Array): Promise<void> {
  try {
    await file.writeFile(chunk);
  } catch (error) {
    throw diskError(error, "opening a backup");
  }
}

/** @throws BewaardError CATALOG_DAMAGED for a copy of a file that was damaged. */
async function requireSound(path: string, signal: AbortSignal): Promise<void> {
  await using database = await openDatabase(path);
  const damage = await fileDamage(database, signal);
  if (damage.length > 0) throw new BewaardError("CATALOG_DAMAGED", damage.join("; "));
}
