import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openRig, type Rig, type RigOptions } from "./rig.ts";

/** Fills the disk of `folder` to its last byte with a file, to be removed to make room again. */
export async function fill(folder: string): Promise<string> {
  const path = join(folder, "ballast");
  await writeFile(path, "");
  try {
    for (;;)
      execFileSync("dd", ["if=/dev/zero", `of=${path}`, "bs=64k", "oflag=append", "conv=notrunc"], {
        stdio: "ignore",
      });
  } catch {
    return path;
  }
}

/** Makes files in `folder` until its disk takes no other one. */
export async function crowd(folder: string): Promise<void> {
  try {
    for (let nth = 0; ; nth += 1) await writeFile(join(folder, `crowd-${nth}`), "");
  } catch {
    // Crowded.
  }
}

/** A rig whose spool is a disk of so many MB, with room for so many files. Root only. */
export async function withSmallDisk(
  body: (rig: Rig, disk: string) => Promise<void>,
  {
    megabytes = 4,
    files = 1000,
    ...options
  }: RigOptions & { readonly megabytes?: number; readonly files?: number } = {},
): Promise<void> {
  await using rig = await openRig(options);
  const disk = join(rig.folder, "spool");
  const kept = join(rig.folder, "spool-content");
  execFileSync("cp", ["-a", disk, kept]);
  execFileSync("mount", [
    "-t",
    "tmpfs",
    "-o",
    `size=${megabytes}m,nr_inodes=${files}`,
    "tmpfs",
    disk,
  ]);
  try {
    execFileSync("sh", ["-c", 'cp -a "$1"/. "$2"', "sh", kept, disk]);
    await body(rig, disk);
  } finally {
    execFileSync("umount", ["-l", disk]);
  }
}
