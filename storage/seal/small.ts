import { Decrypter, Encrypter } from "age-encryption";
import { BewaardError } from "#base/errors";
import { makeHeader } from "./header.ts";
import { oneKind } from "./recipients.ts";
import { openSealer } from "./sealer.ts";

/** Seals a small text (keys, what people wrote) to `recipients`, all of one kind. */
export async function sealText(recipients: readonly string[], text: string): Promise<Uint8Array> {
  oneKind(recipients);
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return encrypter.encrypt(text);
}

/** Seals a few megabytes in memory to `recipients`: the payload by `node:crypto`, as footage. */
export async function sealBytes(
  recipients: readonly string[],
  content: Uint8Array,
): Promise<Uint8Array> {
  const header = await makeHeader(recipients);
  const blocks: Buffer[] = [];
  const sealer = openSealer(header, (block) => void blocks.push(Buffer.from(block)));
  sealer.push(content);
  sealer.finish();
  header.streamKey.fill(0);
  return Buffer.concat(blocks);
}

/** @throws BewaardError SEAL_NOT_FOR_US when `identity` does not open it. */
export async function openText(identity: string, sealed: Uint8Array): Promise<string> {
  const decrypter = decrypterOf(identity);
  try {
    return await decrypter.decrypt(sealed, "text");
  } catch (cause) {
    throw new BewaardError("SEAL_NOT_FOR_US", "this key does not open it", { cause });
  }
}

/** A decrypter for one identity (`AGE-SECRET-KEY-…`). @throws BewaardError DESK_KEY. */
export function decrypterOf(identity: string): Decrypter {
  const decrypter = new Decrypter();
  try {
    decrypter.addIdentity(identity.trim());
  } catch (cause) {
    throw new BewaardError("DESK_KEY", "not an age identity", { cause });
  }
  return decrypter;
}
