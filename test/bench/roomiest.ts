import { stat, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";

/** Where `bytes` fit: in memory if they do – disks differ – or else on disk. */
export async function roomiest(bytes: number): Promise<string> {
  try {
    const { bavail, bsize } = await statfs("/dev/shm");
    if (bavail * bsize > bytes && (await stat("/dev/shm")).isDirectory()) return "/dev/shm";
  } catch {
    // No such memory file system here: the disk will do.
  }
  return tmpdir();
}
