import { execFile } from "node:child_process";
import { readdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What cameras format: with a partition table, or with the file system on the whole disk. */
export type CardKind = "fat32" | "fat32-whole" | "exfat";

/** Where the one partition begins, as cameras make it. */
const START_BYTES = 1024 * 1024;
const SECTOR_BYTES = 512;
/** It is content with no number of heads that we know. */
const MTOOLS = { ...process.env, MTOOLS_SKIP_CHECK: "1" };
const PARTITION = { fat32: "c", exfat: "7" } as const;

/**
 * Makes `path`: the image of a card of `megabytes` named `label`, with what is in the folder `from` on it. Nothing is mounted.
 * exFAT stays empty: no tool writes into it without a mount.
 */
export async function makeCard(
  path: string,
  kind: CardKind,
  megabytes: number,
  label: string,
  from?: string,
): Promise<void> {
  await rm(path, { force: true });
  await writeFile(path, "");
  await truncate(path, megabytes * 1024 * 1024);
  const offset = kind === "fat32-whole" ? 0 : START_BYTES;
  if (kind !== "fat32-whole") await partition(path, PARTITION[kind]);
  if (kind === "exfat") {
    await writeExfat(path, megabytes * 1024 * 1024 - offset, label);
    return;
  }
  const blocks = String(megabytes * 1024 - offset / 1024);
  const where = ["--offset", String(offset / SECTOR_BYTES)];
  await run("mkfs.vfat", ["-F", "32", "-n", label, ...where, path, blocks]);
  if (from !== undefined) await copyInto(path, from, kind);
}

async function partition(path: string, type: string): Promise<void> {
  const made = run("sfdisk", ["-q", path]);
  made.child.stdin?.end(`label: dos\nstart=${START_BYTES / SECTOR_BYTES}, type=${type}\n`);
  await made;
}

/** mkfs.exfat knows no offset. */
async function writeExfat(path: string, bytes: number, label: string): Promise<void> {
  const alone = `${path}.partition`;
  await writeFile(alone, "");
  await truncate(alone, bytes);
  await run("mkfs.exfat", ["-L", label, alone]);
  const into = [`of=${path}`, `seek=${START_BYTES / (1024 * 1024)}`, "bs=1M"];
  await run("dd", [`if=${alone}`, ...into, "conv=notrunc,sparse", "status=none"]);
  await rm(alone);
}

/** Copies what is in the folder `from` onto a FAT card, as a camera adds to what is there. It must be in no guest. */
export async function copyInto(
  path: string,
  from: string,
  kind: CardKind = "fat32",
): Promise<void> {
  const names = (await readdir(from)).map((name) => join(from, name));
  await run("mcopy", ["-s", "-m", "-Q", "-i", placeIn(path, kind), ...names, "::"], {
    env: MTOOLS,
  });
}

/** Paths of all that is on a FAT card, a line each. */
export async function namesOn(path: string): Promise<string> {
  return (await run("mdir", ["-/", "-b", "-i", placeIn(path, "fat32"), "::"], { env: MTOOLS }))
    .stdout;
}

function placeIn(path: string, kind: CardKind): string {
  return `${path}@@${kind === "fat32-whole" ? 0 : START_BYTES}`;
}
