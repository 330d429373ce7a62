import { mkdir, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A file of a card: its path, how many bytes, and the digits of its time of change, as a mount with tz=UTC has them. */
export interface Made {
  readonly path: string;
  readonly bytes?: number;
  /** `2026-11-22 10:15:00`. */
  readonly changed: string;
}

/** Makes a card of these files below `root`. */
export async function makeCard(root: string, files: readonly Made[]): Promise<void> {
  await mkdir(root, { recursive: true });
  for (const { path, bytes = 16, changed } of files) {
    const at = join(root, path);
    await mkdir(dirname(at), { recursive: true });
    await writeFile(at, Buffer.alloc(bytes, 0x61));
    const when = new Date(`${changed.replace(" ", "T")}Z`);
    await utimes(at, when, when);
  }
}
