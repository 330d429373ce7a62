import { execFileSync, spawnSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "./folder.ts";

export type FileSystem = "xfs" | "ext4";

/** A real file system in a file, whose power can be cut. */
export interface LoopDisk extends AsyncDisposable {
  /** Where it is mounted. */
  readonly path: string;
  /** Makes everything written so far durable. */
  settle(): void;
  /** Drops what is not durable, at once: every call on it fails from now on. */
  cutPower(): void;
  /** Mounts it again, which recovers it as after a real power cut. */
  recover(): void;
}

// XFS makes nothing smaller.
const SIZE = "320M";

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ["ignore", "ignore", "pipe"] });
}

export async function openLoopDisk(kind: FileSystem): Promise<LoopDisk> {
  const folder = await temporaryFolder();
  const image = join(folder.path, "image");
  const path = join(folder.path, "disk");
  await mkdir(path);
  run("truncate", "-s", SIZE, image);
  run(`mkfs.${kind}`, "-q", image);
  run("mount", "-o", "loop", image, path);
  return {
    path,
    settle: () => run("sync", "-f", path),
    cutPower: () => run("xfs_io", "-x", "-c", "shutdown", path),
    recover() {
      run("umount", path);
      run("mount", "-o", "loop", image, path);
    },
    async [Symbol.asyncDispose]() {
      spawnSync("umount", ["-l", path]);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Whether this machine lets us mount a file as a disk and cut its power; undefined, or why not. */
export async function whyNoLoopDisk(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "not root";
  try {
    for (const kind of ["xfs", "ext4"] as const) {
      await using disk = await openLoopDisk(kind);
      disk.cutPower();
      disk.recover();
    }
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.split("\n").join(" ") : "unknown";
  }
}
