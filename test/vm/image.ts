import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What a box runs on (docs/install.md): Debian 13 and 12. */
export type Suite = "trixie" | "bookworm";
const SCRIPTS = ["image.sh", "guest-root.sh", "initrd.sh"].map((name) =>
  fileURLToPath(new URL(name, import.meta.url)),
);

/** The guest's disk, kernel and initrd, in a folder of their own. */
export interface Image {
  readonly folder: string;
  readonly disk: string;
  readonly kernel: string;
  readonly initrd: string;
  /** Of the machine that is made of it. Its guests mostly run beside others, and have one. */
  readonly processors: 1 | 2;
}

/**
 * Resolves to the image of the test guest, made now if there is none of these scripts yet: some two minutes.
 * It stays in ~/.cache/bewaard/vm, or where `BEWAARD_VM_CACHE` says: some 600 MB, and as much for its snapshot.
 */
export async function guestImage(
  suite: Suite,
  processors: Image["processors"] = 1,
): Promise<Image> {
  const folder = join(cache(), await key(suite));
  if (!existsSync(folder)) await make(suite, folder);
  const at = (name: string): string => join(folder, name);
  return {
    folder,
    disk: at("disk.qcow2"),
    kernel: at("vmlinuz"),
    initrd: at("initrd"),
    processors,
  };
}

function cache(): string {
  return process.env["BEWAARD_VM_CACHE"] ?? join(homedir(), ".cache", "bewaard", "vm");
}

async function key(suite: Suite): Promise<string> {
  const hash = createHash("sha256").update(suite).update(process.version);
  for (const path of SCRIPTS) hash.update(await readFile(path));
  return hash.digest("hex").slice(0, 16);
}

async function make(suite: Suite, folder: string): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error("making the guest's image needs root, once");
  console.log(`making the image of the guest in ${folder}: two minutes`);
  await mkdir(cache(), { recursive: true });
  const [script] = SCRIPTS;
  const made = run("nice", ["-n", "19", "bash", String(script), suite, folder]);
  // Another run may have been first.
  await made.catch((error: unknown) => {
    if (!existsSync(folder))
      throw new Error("the guest's image could not be made", { cause: error });
  });
}
