import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { type FileHandle, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { BewaardError } from "#base/errors";
import { cardOwner } from "./card-owner.ts";
import { deviceNumber } from "./safe-folder.ts";
import type { Volume } from "./volume.ts";

/** What only root can do to a card. Fails with BewaardError CARD_MOUNT (transient). */
export interface Mounts {
  /** Opens a disk for reading, if it is the block device of that number. */
  open(name: string, device: string): Promise<FileHandle>;
  /** Mounts it read-only, for the daemon to read and nobody to write. */
  mount(name: string, kind: Volume["kind"], at: string): Promise<void>;
  /** Number of the file system that a program has mounted there; undefined where there is none. */
  programAt(at: string): Promise<string | undefined>;
  /** Makes a mounted card writable for root, in this process's view of it alone, or read-only again. */
  remount(at: string, how: "rw" | "ro"): Promise<void>;
  /** Takes it away at once, whoever reads from it still. Does nothing where nothing is mounted. */
  unmount(at: string): Promise<void>;
  /** The bytes of an open file as they are on the card, past whatever this machine remembers of them. */
  read(file: FileHandle): AsyncIterable<Uint8Array>;
  /** The same of a media device: fetched from it anew, whoever has fetched the file before and has it open still. */
  fetchAgain(file: FileHandle): AsyncIterable<Uint8Array>;
  /** Returns once everything written to the card of this open folder is on it, whatever is mounted in its place by now. */
  settle(card: FileHandle): Promise<void>;
}

/** No program, device or link on a card is ever one to this machine. */
export const FLAGS = ["nosuid", "nodev", "noexec", "nosymfollow"] as const;

/** The machine's own. */
export function systemMounts(dev: string): Mounts {
  const options = {
    // Else the kernel would read the camera's wall time in the zone of this machine.
    vfat: ",tz=UTC,iocharset=utf8",
    // Knows no tz, and reads a time that says no zone as UTC.
    exfat: "",
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
      // The dock's alone, and not writable for it when the card is.
      const owned = `${await cardOwner()},dmask=0277,fmask=0377`;
      // -i: no helper program of a file system.
      const how = `ro,${FLAGS.join()},${owned}${options[kind]}`;
      await run("/usr/bin/mount", ["-i", "-t", kind, "-o", how, join(dev, name), at]);
      await assertMounted(at, "ro");
    },
    async remount(at, how) {
      await run("/usr/bin/mount", ["-i", "-o", `remount,${how},${FLAGS.join()}`, at]);
      await assertMounted(at, how);
    },
    async unmount(at) {
      // One over another too, which two helpers leave.
      while ((await mountAt(at)) !== undefined) await run("/usr/bin/umount", ["-i", "-l", at]);
    },
    async programAt(at) {
      const mount = await mountAt(at);
      return mount?.kind.startsWith("fuse") ? mount.device : undefined;
    },
    read: readPast,
    async *fetchAgain(file) {
      // jmtpfs keeps what it fetched for as long as a file is open, and drops it whenever anybody closes the file, as dd
      // does here: what is read then was fetched after this moment, whoever opened it again first.
      await run("/usr/bin/dd", ["count=0", "status=none"], file.fd);
      yield* readPast(file);
    },
    settle: (card) => run("/usr/bin/sync", ["-f", "/proc/self/fd/0"], card.fd),
  };
}

/** The kernel has the last word on how something is mounted. */
async function assertMounted(at: string, how: "rw" | "ro"): Promise<void> {
  const mount = await mountAt(at);
  const missing = [how, ...FLAGS].filter((flag) => !mount?.flags.includes(flag));
  if (missing.length > 0) throw failed(`a card is mounted without ${missing.join(", ")}`);
}

/** What is mounted topmost at a place. */
interface Mount {
  /** `8:17`. */
  readonly device: string;
  readonly kind: string;
  readonly flags: readonly string[];
}

export async function mountAt(at: string): Promise<Mount | undefined> {
  const lines = (await readFile("/proc/self/mountinfo", "utf8")).split("\n");
  // Number, parent, device, root, place, flags, …, -, kind. Our places have no character that the kernel writes in octal.
  const found = lines.map((line) => line.split(" ")).findLast((one) => one[4] === at);
  const [, , device, , , flags] = found ?? [];
  const kind = found?.[found.indexOf("-") + 1];
  if (device === undefined || flags === undefined || kind === undefined) return undefined;
  return { device, kind, flags: flags.split(",") };
}

/**
 * Reads with O_DIRECT, for which dd has memory that begins where that asks for, and Node has not. To forget what is
 * remembered first would not do: what another process has mapped, or is reading now, stays remembered.
 */
async function* readPast(file: FileHandle): AsyncGenerator<Uint8Array, void, undefined> {
  const child = spawn("/usr/bin/dd", ["iflag=direct", "bs=1M", "status=none"], {
    cwd: "/",
    env: { LC_ALL: "C" },
    stdio: [file.fd, "pipe", "pipe"],
  });
  const ended = Promise.all([saidBy(child.stderr), endOf(child)]);
  try {
    for await (const chunk of child.stdout ?? []) if (chunk instanceof Uint8Array) yield chunk;
    const [said, code] = await ended;
    if (code !== 0) throw failed(`dd (${String(code)}): ${said.trim()}`);
  } finally {
    // Whoever has seen enough of it.
    child.kill("SIGKILL");
    await ended;
  }
}

/** The bytes of an open file as this machine has them: for a card that is but a folder. */
export async function* readRemembered(file: FileHandle): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.alloc(64 * 1024);
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(bytes, 0, bytes.length, at);
    if (bytesRead === 0) return;
    yield bytes.subarray(0, bytesRead);
    at += bytesRead;
  }
}

async function run(program: string, argv: readonly string[], stdin?: number): Promise<void> {
  const child = spawn(program, argv, {
    cwd: "/",
    // The classic call: by the newer one a file system of a program refuses to be remounted at all.
    env: { LC_ALL: "C", LIBMOUNT_FORCE_MOUNT2: "always" },
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

export function failed(why: string): BewaardError {
  return new BewaardError("CARD_MOUNT", why, { transient: true });
}
