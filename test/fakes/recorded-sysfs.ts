import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * Writes in `folder` the part of /sys that `recording` tells of: a line `<path> = <value>` for an attribute, `<path> -> <target>`
 * for a link. Recordings of a real kernel are in test/fakes/sysfs/; test/vm/record-sysfs.ts made them.
 */
export async function writeSysfs(folder: string, recording: string): Promise<void> {
  for (const line of recording.split("\n")) {
    const [, path, kind, value] = /^(\S+) (=|->) (.*)$/.exec(line) ?? [];
    if (path === undefined || value === undefined) continue;
    const at = join(folder, path);
    await mkdir(dirname(at), { recursive: true });
    if (kind === "=") await writeFile(at, `${value}\n`);
    else await symlink(value, at);
  }
}
