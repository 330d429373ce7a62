import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from "node:crypto";
import { type Decrypter, Encrypter } from "age-encryption";
import { BewaardError } from "#base/errors";
import { PAYLOAD_NONCE_BYTES, TAG_BYTES } from "./chunk.ts";
import { oneKind } from "./recipients.ts";

/** What a sealer needs before its first byte. `streamKey` opens the payload: wipe it after use. */
export interface Header {
  /** age header and payload nonce: the first bytes of the sealed file. */
  readonly prefix: Uint8Array;
  /** 32 bytes. */
  readonly streamKey: Uint8Array;
}

/**
 * Makes a fresh age v1 header for `recipients` (all of one kind) with a file key of its own.
 *
 * typage does the key encapsulation, the stanzas and the MAC through its public API. It does not
 * offer the file key, so a last recipient that adds no stanza taps it; the payload typage made
 * with it (of nothing) is dropped with its nonce, and ours starts under a new one.
 */
export async function makeHeader(recipients: readonly string[]): Promise<Header> {
  oneKind(recipients);
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  let fileKey: Uint8Array | undefined;
  encrypter.addRecipient({
    wrapFileKey(key) {
      fileKey = Uint8Array.from(key);
      return [];
    },
  });
  const empty = await encrypter.encrypt(new Uint8Array(0));
  if (!fileKey) throw new Error("typage did not hand its file key to the last recipient");
  const header = empty.subarray(0, empty.length - PAYLOAD_NONCE_BYTES - TAG_BYTES);
  const nonce = randomBytes(PAYLOAD_NONCE_BYTES);
  const streamKey = deriveStreamKey(fileKey, nonce);
  fileKey.fill(0);
  return { prefix: Buffer.concat([header, nonce]), streamKey };
}

/**
 * Opens a header (without the nonce) with the identities of `decrypter` and derives the payload key.
 * @throws BewaardError SEAL_NOT_FOR_US when no identity fits, SEAL_BROKEN when header or MAC is bad.
 */
export async function openHeader(
  header: Uint8Array,
  nonce: Uint8Array,
  decrypter: Decrypter,
): Promise<KeyObject> {
  const fileKey = await unwrap(header, decrypter);
  const key = createSecretKey(deriveStreamKey(fileKey, nonce));
  fileKey.fill(0);
  return key;
}

async function unwrap(header: Uint8Array, decrypter: Decrypter): Promise<Uint8Array> {
  try {
    return await decrypter.decryptHeader(header);
  } catch (cause) {
    const notOurs = cause instanceof Error && cause.message.startsWith("no identity matched");
    throw notOurs
      ? new BewaardError("SEAL_NOT_FOR_US", "sealed to another identity", { cause })
      : new BewaardError("SEAL_BROKEN", "the age header does not authenticate", { cause });
  }
}

function deriveStreamKey(fileKey: Uint8Array, nonce: Uint8Array): Buffer {
  return Buffer.from(hkdfSync("sha256", fileKey, nonce, "payload", 32));
}
