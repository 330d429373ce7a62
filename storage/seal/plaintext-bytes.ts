import { CHUNK_BYTES, PAYLOAD_NONCE_BYTES, TAG_BYTES } from "./chunk.ts";

/** The last line of an age header: `--- <MAC>`. */
const LAST_LINE = /\n--- [A-Za-z0-9+/]{43}\n/;

/**
 * How long the plaintext of a sealed file of `bytes` is, by the beginning of it. Undefined when it does not
 * begin as an age file, or cannot be of that length.
 */
export function plaintextBytesOf(beginning: Uint8Array, bytes: number): number | undefined {
  const text = Buffer.from(beginning).toString("latin1");
  const end = LAST_LINE.exec(text);
  if (!text.startsWith("age-encryption.org/v1\n") || end === null) return undefined;
  const payload = bytes - (end.index + end[0].length) - PAYLOAD_NONCE_BYTES;
  const chunks = Math.ceil(payload / (CHUNK_BYTES + TAG_BYTES));
  const plaintext = payload - chunks * TAG_BYTES;
  return chunks > 0 && plaintext >= 0 ? plaintext : undefined;
}
