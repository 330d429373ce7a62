import { randomUUID } from "node:crypto";
import type { StatsFs } from "node:fs";
import { mkdir, readFile, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { diskError } from "#base/disk-errors";
import { syncDirectory, writeDurably } from "#base/durable";
import { BewaardError, systemCode } from "#base/errors";
import type { NodeId, SegmentId } from "#base/ids";
import { dayOf, type Instant } from "#base/time";

/**
 * The folder where those who see footage and those who keep it meet, and the ring of sealed files.
 *
 *   bewaard-spool.json   which spool this is
 *   incoming/<producer>/ facts handed over, not yet adopted
 *   segments/<day>/      the ring: sealed files by day of arrival
 *   quarantine/<id>/     what core did not believe
 *   lease/<role>         one holder a role
 *
 * All of it is core's; where dock and recorder are other users, `incoming/<producer>` and `lease/<role>` are theirs
 * (daemon/setup/give-spool.ts), and core is in the group of each.
 */
export interface Spool {
  readonly path: string;
  /** Random id of this spool, made with it: tells it from another disk mounted in its place. */
  readonly id: string;
}

export const SPOOL_IDENTITY = "bewaard-spool.json";
/** The layout of folders above. A spool of before it was written down has none, and is 1. */
const VERSION = 1;
const identity = z.object({ spool: z.uuid(), node: z.string() });
const versioned = z.object({ version: z.int().positive().default(VERSION) });

/** The parts of bewaard that may each run once on a spool. */
const ROLES = ["core", "dock", "record"] as const;
export type Role = (typeof ROLES)[number];

/** Makes an empty folder a spool for `node`. Harmless on one that is its spool already. */
export async function createSpool(path: string, node: NodeId): Promise<void> {
  for (const folder of ["incoming", "segments", "quarantine", "lease"]) {
    await mkdir(join(path, folder), { recursive: true, mode: 0o700 });
  }
  // Now, while there is room: a lease must be had on a full disk as well.
  for (const role of ROLES) await createLease(join(path, "lease", role));
  try {
    await openSpool(path, node);
  } catch (error) {
    if (!(error instanceof BewaardError) || error.code !== "SPOOL_IDENTITY") throw error;
    if (systemCode(error.cause) !== "ENOENT") throw error;
    const text = `${JSON.stringify({ version: VERSION, spool: randomUUID(), node })}\n`;
    await writeDurably(join(path, SPOOL_IDENTITY), text, 0o600);
  }
}

/** One that is there may be another user's by now. */
async function createLease(path: string): Promise<void> {
  try {
    await writeFile(path, "", { mode: 0o600, flag: "wx" });
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  }
}

/**
 * Opens the spool of `node`.
 * @throws BewaardError SPOOL_IDENTITY when nothing is mounted there, or somebody else's disk is;
 * SPOOL_VERSION when a newer bewaard has laid it out.
 */
export async function openSpool(path: string, node: NodeId): Promise<Spool> {
  const text = await readIdentity(path);
  const { data: layout } = versioned.safeParse(text);
  if (layout && layout.version > VERSION) {
    const message = `${path} has layout ${layout.version}, this bewaard knows ${VERSION}: install the newer one`;
    throw new BewaardError("SPOOL_VERSION", message);
  }
  const found = identity.safeParse(text);
  if (!found.success) {
    throw new BewaardError("SPOOL_IDENTITY", `${path}: ${SPOOL_IDENTITY} is not readable as such`);
  }
  if (found.data.node !== node) {
    throw new BewaardError(
      "SPOOL_IDENTITY",
      `${path} is the spool of ${found.data.node}, not of ${node}: is the right disk mounted?`,
    );
  }
  return { path, id: found.data.spool };
}

async function readIdentity(path: string): Promise<unknown> {
  try {
    const parsed: unknown = JSON.parse(await readFile(join(path, SPOOL_IDENTITY), "utf8"));
    return parsed;
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw new BewaardError(
      "SPOOL_IDENTITY",
      `${path} is no spool: is its disk mounted? A new one is made by \`bewaard setup\``,
      { cause },
    );
  }
}

/** Size of the spool's file system. @throws BewaardError SPOOL_IO (transient). */
export async function diskBytes(spool: Spool): Promise<number> {
  const { blocks, bsize } = await fileSystem(spool);
  return blocks * bsize;
}

/** Bytes this process may still write to the spool's file system. @throws BewaardError SPOOL_IO (transient). */
export async function freeBytes(spool: Spool): Promise<number> {
  const { bavail, bsize } = await fileSystem(spool);
  return bavail * bsize;
}

async function fileSystem({ path }: Spool): Promise<StatsFs> {
  try {
    return await statfs(path);
  } catch (error) {
    throw diskError(error, "measuring the spool");
  }
}

export function incomingFolder(spool: Spool, producer: string): string {
  return join(spool.path, "incoming", producer);
}

/**
 * Makes the folder a producer hands its facts over in, where it is not there.
 * @throws BewaardError SPOOL_FULL, SPOOL_IO (transient).
 */
export async function createIncoming(spool: Spool, producer: string): Promise<string> {
  const folder = incomingFolder(spool, producer);
  try {
    const made = await mkdir(folder, { recursive: true, mode: 0o700 });
    // Where each part is a user of its own, that folder is there, and what it lies in is core's.
    if (made !== undefined) await syncDirectory(join(spool.path, "incoming"));
    return folder;
  } catch (error) {
    throw diskError(error, `making incoming/${producer}`);
  }
}

/** Where a segment's sealed file lies in the ring. */
export function segmentPath(spool: Spool, id: SegmentId, arrivedAt: Instant): string {
  return join(spool.path, "segments", dayOf(arrivedAt), `${id}.age`);
}

export function quarantineFolder(spool: Spool, id: string): string {
  return join(spool.path, "quarantine", id);
}
