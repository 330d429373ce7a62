import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { systemCode } from "./errors.ts";

/** Group and others may read, and not write. */
const WRITABLE_BY_OTHERS = 0o022;
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * A small file that only one of `owners` (user ids) can have written: regular, no link, writable by nobody
 * else, at most `limitBytes` long. What is asked is the open file, so that it cannot be swapped in between.
 */
export async function readTrusted(
  path: string,
  owners: readonly number[],
  limitBytes: number,
): Promise<Buffer | "absent" | "untrusted"> {
  try {
    await using file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const { uid, mode, size, nlink } = await file.stat();
    const regular = (mode & constants.S_IFMT) === constants.S_IFREG;
    if (!regular || !owners.includes(uid) || (mode & WRITABLE_BY_OTHERS) !== 0) return "untrusted";
    if (nlink !== 1 || size > limitBytes) return "untrusted";
    const bytes = Buffer.alloc(size + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
      length += bytesRead;
      // Longer than it was a moment ago: somebody is still writing.
      if (length > size) return "untrusted";
      if (bytesRead === 0) return bytes.subarray(0, length);
    }
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT") return "absent";
    // A link where the file should be; a socket.
    if (code === "ELOOP" || code === "ENXIO") return "untrusted";
    throw error;
  }
}
