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
  /** Mounts it read-only, with everything behind a place within the file `name` unreadable (EIO). */
  decay(name: string): void;
  /** Writes over the beginning of the file `name` on the disk itself, which this machine does not notice. */
  change(name: string, bytes: string): void;
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
  const mount = (options: string): void => run("mount", "-o", options, image, path);
  const close = async (): Promise<void> => {
    spawnSync("umount", ["-l", path]);
    await folder[Symbol.asyncDispose]();
  };
  try {
    await mkdir(path);
    run("truncate", "-s", SIZE, image);
    run(`mkfs.${kind}`, "-q", image);
    mount("loop");
  } catch (error) {
    await close();
    throw error;
  }
  return {
    path,
    settle: () => run("sync", "-f", path),
    cutPower: () => run("xfs_io", "-x", "-c", "shutdown", path),
    recover() {
      run("umount", path);
      mount("loop");
    },
    decay(name) {
      const middle = middleOf(join(path, name));
      run("umount", path);
      mount("loop,ro");
      run("truncate", "-s", String(middle), image);
    },
    change(name, bytes) {
      const told = execFileSync("filefrag", ["-b1", "-v", join(path, name)], { encoding: "utf8" });
      const [, first] = / 0: +\d+\.\. *\d+: +(\d+)\.\./.exec(told) ?? [];
      const to = [`of=${image}`, "bs=1", `seek=${first}`, "conv=notrunc", "status=none"];
      execFileSync("dd", to, { input: bytes });
    },
    [Symbol.asyncDispose]: close,
  };
}

/** Where on its disk the middle of the last piece of a file lies, in bytes. */
function middleOf(path: string): number {
  const told = execFileSync("filefrag", ["-b1", "-v", path], { encoding: "utf8" });
  const [, first, last] = /: +(\d+)\.\. *(\d+):[^\n]*last/.exec(told) ?? [];
  return Math.floor((Number(first) + Number(last)) / 2 / 4096) * 4096;
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
