import { createHash } from "node:crypto";
import { type CiphertextSha256, parseCiphertextSha256 } from "#base/ids";

/** A sealed file is cut in parts of this size for digests and upload (docs/format.md). */
export const PART_BYTES = 64 * 1024 * 1024;

export interface PartDigests {
  update(ciphertext: Uint8Array): void;
  finish(): { ciphertextBytes: number; parts: readonly CiphertextSha256[] };
}

/** Whether `bytes` are those of which `parts` were taken. */
export async function sameParts(
  bytes: AsyncIterable<Uint8Array>,
  parts: readonly CiphertextSha256[],
): Promise<boolean> {
  const digests = openPartDigests();
  for await (const chunk of bytes) digests.update(chunk);
  return digests.finish().parts.join() === parts.join();
}

/** Takes SHA-256 of each 64 MiB part while the bytes pass by; an empty file has one, empty, part. */
export function openPartDigests(): PartDigests {
  const parts: CiphertextSha256[] = [];
  let hash = createHash("sha256");
  let partBytes = 0;
  let ciphertextBytes = 0;

  function close(): void {
    parts.push(parseCiphertextSha256(hash.digest("hex")));
    hash = createHash("sha256");
    partBytes = 0;
  }

  return {
    update(ciphertext) {
      ciphertextBytes += ciphertext.length;
      let rest = ciphertext;
      while (partBytes + rest.length > PART_BYTES) {
        const taken = PART_BYTES - partBytes;
        hash.update(rest.subarray(0, taken));
        close();
        rest = rest.subarray(taken);
      }
      hash.update(rest);
      partBytes += rest.length;
    },
    finish() {
      if (partBytes > 0 || parts.length === 0) close();
      return { ciphertextBytes, parts };
    },
  };
}
