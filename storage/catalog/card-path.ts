import { createHash } from "node:crypto";

/** So many hex digits of a SHA-256 tell the files of one camera from each other. */
const DIGITS = 32;

/**
 * What stands for the name of a file on a card where others may read it: 32 hex digits of SHA-256 over the camera's
 * number, a newline, and the path as bytes. Names follow a pattern: it hides them from no one who tries them all.
 */
export function hashedPath(device: string, path: Uint8Array): string {
  return createHash("sha256").update(`${device}\n`).update(path).digest("hex").slice(0, DIGITS);
}
