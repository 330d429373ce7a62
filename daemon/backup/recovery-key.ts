import { dirname } from "node:path";
import {
  generateHybridIdentity,
  generateX25519Identity,
  identityToRecipient,
} from "age-encryption";
import { BewaardError } from "#base/errors";
import type { RecipientKind } from "../../storage/seal/recipients.ts";
import { writeOwned } from "../setup/own-files.ts";
import { isThere } from "../setup/settle-configuration.ts";

/** The secret half is for the envelope: it is told once and kept nowhere. */
export interface RecoveryKey {
  readonly identity: string;
  readonly recipient: string;
}

/**
 * Makes a recovery key, has `show` tell it, and only then writes its public half to `path`, which must not be there yet: no
 * backup is ever sealed to a key that nobody has seen.
 * @throws BewaardError USAGE when it is there, or its folder is not; when another was made meanwhile: what was shown is then of
 * no use. As `show` does.
 */
export async function makeRecoveryKey(
  path: string,
  kind: RecipientKind,
  show: (key: RecoveryKey) => Promise<void>,
): Promise<RecoveryKey> {
  if (await isThere(path)) {
    const message = `${path} is er al: wie de sleutel vervangt, zet het oude bestand eerst weg / is there: move it away first`;
    throw new BewaardError("USAGE", message);
  }
  const folder = dirname(path);
  if (!(await isThere(folder)))
    throw new BewaardError("USAGE", `${folder}: die map is er niet / that folder is not there`);
  const identity = await (kind === "pq" ? generateHybridIdentity() : generateX25519Identity());
  const recipient = await identityToRecipient(identity);
  await show({ identity, recipient });
  const half = `# Herstelsleutel, publieke helft / recovery key, public half\n${recipient}\n`;
  if (await writeOwned(undefined, path, half, 0o644, "once")) return { identity, recipient };
  const message = `${path}: iemand maakte er net ook een. Gooi weg wat hier werd getoond / somebody made one just now: throw away what was shown here`;
  throw new BewaardError("USAGE", message);
}
