import { z } from "zod";
import { BewaardError } from "#base/errors";
import { parseNodeId } from "#base/ids";
import { instantOf } from "#base/time";
import {
  type NodeKey,
  signNote,
  type VerifierKey,
  verifiedText,
} from "../../storage/ledger/note.ts";
import { canonicalText } from "../orders/signed.ts";

// What a node signs of a backup (docs/format.md, "Backups"). Whoever may write in the vault can seal something to
// the recovery key, for it is public: that it is this box's is in no other place.

const note = z.strictObject({
  bewaard: z.literal("backup/1"),
  node: z.string().transform(parseNodeId),
  /** Where the backup lies: a note moved to another one counts for nothing. */
  key: z.string(),
  at: z.string().transform(instantOf),
  /** Of the catalog's file, before it was sealed. */
  bytes: z.int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

export type BackupNote = z.output<typeof note>;

export function signBackup(key: NodeKey, told: z.input<typeof note>): string {
  return signNote(key, `${canonicalText(told)}\n`);
}

/** @throws BewaardError BACKUP_BROKEN when none of `keys` has signed it, or it is of another backup than `key`. */
export function readBackupNote(
  keys: readonly VerifierKey[],
  key: string,
  signed: string,
): BackupNote {
  const text = keys.map((one) => verifiedText(one, signed)).find((one) => one !== undefined);
  if (text === undefined) throw brokenBackup(`${key} is not signed by this box`);
  const told = parsed(text);
  if (told === undefined) throw brokenBackup(`${key} is of another form than this version knows`);
  if (told.key !== key) throw brokenBackup(`what lies beside ${key} is signed of ${told.key}`);
  return told;
}

function parsed(text: string): BackupNote | undefined {
  try {
    return note.parse(JSON.parse(text));
  } catch (error) {
    const foreseen =
      error instanceof SyntaxError ||
      error instanceof z.ZodError ||
      error instanceof TypeError ||
      error instanceof RangeError;
    if (foreseen) return undefined;
    throw error;
  }
}

export function brokenBackup(message: string, cause?: unknown): BewaardError {
  return new BewaardError("BACKUP_BROKEN", message, { cause });
}
