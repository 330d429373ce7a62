import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { type FileHandle, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { BewaardError } from "#base/errors";
import { deviceNumber } from "./safe-folder.ts";
import type { Volume } from "./volume.ts";

/** What only root can do to a card. Fails with BewaardError CARD_MOUNT (transient). */
export interface Mounts {
  /** Opens a disk for reading, if it is the block device of that number. */
  open(name: string, device: string): Promise<FileHandle>;
  /** Mounts it read-only, for the daemon to read and nobody to write. */
  mount(name: string, kind: Volume["kind"], at: string): Promise<void>;
  /** Makes a mounted card writable for root, in this process's view of it alone, or read-only again. */
  remount(at: string, how: "rw" | "ro"): Promise<void>;
  /** Takes it away at once, whoever reads from it still. Does nothing where nothing is mounted. */
  unmount(at: string): Promise<void>;
  /** Forgets what this machine remembers of an open file, so that it is read from the card again. */
  forget(file: FileHandle): Promise<void>;
  /** Returns once everything written to the card is on it. */
  settle(at: string): Promise<void>;
}

/** No program, device or link on a card is ever one to this machine. */
export const FLAGS = ["nosuid", "nodev", "noexec", "nosymfollow"] as const;

/** The machine's own. */
export function systemMounts(dev: string): Mounts {
  // The daemon's alone, and not writable for it when the card is.
  const owned = "uid=bewaard,gid=bewaard,dmask=0277,fmask=0377";
  const options = {
    // Else the kernel would read the camera's wall time in the zone of this machine.
    vfat: `${owned},tz=UTC,iocharset=utf8`,
    // Knows no tz, and reads a time that says no zone as UTC.
    exfat: owned,
  };
  return {
    async open(name, device) {
      const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
      const file = await open(join(dev, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      const stats = await file.stat({ bigint: true });
      if (stats.isBlockDevice() && deviceNumber(stats.rdev) === device) return file;
      await file.close();
      throw failed(`${name} is another device by now`);
    },
    async mount(name, kind, at) {
      // -i: no helper program of a file system.
      const how = `ro,${FLAGS.join()},${options[kind]}`;
      await run("/usr/bin/mount", ["-i", "-t", kind, "-o", how, join(dev, name), at]);
      await assertMounted(at, "ro");
    },
    async remount(at, how) {
      await run("/usr/bin/mount", ["-i", "-o", `remount,${how},${FLAGS.join()}`, at]);
      await assertMounted(at, how);
    },
    async unmount(at) {
      if ((await flagsOf(at)) !== undefined) await run("/usr/bin/umount", ["-i", "-l", at]);
    },
    // dd hands the kernel POSIX_FADV_DONTNEED, which Node cannot.
    forget: (file) => run("/usr/bin/dd", ["iflag=nocache", "count=0", "status=none"], file.fd),
    settle: (at) => run("/usr/bin/sync", ["-f", at]),
  };
}

/** The kernel has the last word on how something is mounted. */
async function assertMounted(at: string, how: "rw" | "ro"): Promise<void> {
  const flags = await flagsOf(at);
  const missing = [how, ...FLAGS].filter((flag) => !flags?.includes(flag));
  if (missing.length > 0) throw failed(`a card is mounted without ${missing.join(", ")}`);
}

/** Mount flags of what is mounted topmost at `at`; undefined when nothing is. */
async function flagsOf(at: string): Promise<readonly string[] | undefined> {
  const lines = (await readFile("/proc/self/mountinfo", "utf8")).split("\n");
  // Number, parent, device, root, place, flags. Our places have no character that the kernel writes in octal.
  const fields = lines.map((line) => line.split(" ")).findLast((one) => one[4] === at);
  return fields?.[5]?.split(",");
}

async function run(program: string, argv: readonly string[], stdin?: number): Promise<void> {
  const child = spawn(program, argv, {
    cwd: "/",
    env: { LC_ALL: "C" },
    stdio: [stdin ?? "ignore", "ignore", "pipe"],
  });
  const [said, code] = await Promise.all([saidBy(child.stderr), endOf(child)]);
  if (code !== 0) throw failed(`${program} (${String(code)}): ${said.trim()}`);
}

async function endOf(child: ChildProcess): Promise<unknown> {
  const ended: readonly unknown[] = await once(child, "close");
  return ended[0];
}

async function saidBy(stream: Readable | null): Promise<string> {
  let said = "";
  for await (const text of stream?.setEncoding("utf8") ?? []) said += String(text);
  return said.slice(0, 500);
}

function failed(why: string): BewaardError {
  return new BewaardError("CARD_MOUNT", why, { transient: true });
}
