import { access } from "node:fs/promises";
import {
  generateHybridIdentity,
  generateX25519Identity,
  identityToRecipient,
} from "age-encryption";
import { writeDurably } from "#base/durable";
import { BewaardError, systemCode } from "#base/errors";
import type { RecipientKind } from "../../storage/seal/recipients.ts";

/** The secret half is for the envelope: it is told once and kept nowhere. */
export interface RecoveryKey {
  readonly identity: string;
  readonly recipient: string;
}

/**
 * Makes a recovery key and writes its public half to `path`, which must not be there yet.
 * @throws BewaardError USAGE when it is.
 */
export async function makeRecoveryKey(path: string, kind: RecipientKind): Promise<RecoveryKey> {
  if (await exists(path)) {
    const message = `${path} is er al: wie de sleutel vervangt, zet het oude bestand eerst weg / is there: move it away first`;
    throw new BewaardError("USAGE", message);
  }
  const identity = await (kind === "pq" ? generateHybridIdentity() : generateX25519Identity());
  const recipient = await identityToRecipient(identity);
  await writeDurably(
    path,
    `# Herstelsleutel, publieke helft / recovery key, public half\n${recipient}\n`,
    0o644,
  );
  return { identity, recipient };
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}
