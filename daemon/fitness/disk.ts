import { open, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { BewaardError } from "#base/errors";
import type { Clock } from "#base/time";
import { diskBytes, freeBytes, openSpool } from "../../storage/spool/spool.ts";
import { kindOf } from "./file-system.ts";
import { fit, gigabytes, type Machine, notFitForReal, type Seen, warning } from "./seen.ts";

/** A disk that syncs slower than this makes each recording wait. */
const SLOW_SYNC_MS = 500;
const PROBE_BYTES = 64 * 1024;

export async function lookAtSpool(machine: Machine): Promise<readonly Seen[]> {
  const { clock, config } = machine;
  const spool = await openSpool(config.spool.path, config.node);
  return [
    await room(spool, config.spool),
    await ownDisk(config.spool.path),
    await lasting(machine, config.spool.path),
    await syncs(clock, config.spool.path),
  ];
}

export async function lookAtState(machine: Machine): Promise<readonly Seen[]> {
  const { state } = machine.config;
  return [await lasting(machine, state), await lockable(state), await syncs(machine.clock, state)];
}

async function room(
  spool: Parameters<typeof freeBytes>[0],
  { limit, keep_free: keepFree }: Machine["config"]["spool"],
): Promise<Seen> {
  const free = await freeBytes(spool);
  if (free < keepFree) {
    const message = `${gigabytes(free)} vrij / free, minder dan / less than keep_free`;
    throw new BewaardError("SPOOL_FULL", message);
  }
  const size = await diskBytes(spool);
  if (limit + keepFree > size) {
    return warning(
      {
        nl: `limit en keep_free passen niet op deze schijf van ${gigabytes(size)}`,
        en: `limit and keep_free do not fit this disk of ${gigabytes(size)}`,
      },
      { nl: "maak spool.limit kleiner", en: "lower spool.limit" },
    );
  }
  return fit(`${gigabytes(free)} vrij`, `${gigabytes(free)} free`);
}

async function ownDisk(path: string): Promise<Seen> {
  const [spool, system] = await Promise.all([stat(path), stat("/")]);
  if (spool.dev !== system.dev) return fit("eigen bestandssysteem", "file system of its own");
  return warning(
    { nl: "staat op de schijf van het systeem", en: "is on the system's own disk" },
    {
      nl: "geef de spool een eigen bestandssysteem: vol raakt dan alleen de spool",
      en: "give the spool a file system of its own, so that only it fills up",
    },
  );
}

async function lasting(machine: Machine, path: string): Promise<Seen> {
  const kind = kindOf((await statfs(path)).type);
  if (kind !== "tmpfs") return fit(`bestandssysteem ${kind}`, `file system ${kind}`);
  return notFitForReal(
    machine,
    {
      nl: "staat in het geheugen en is weg na een herstart",
      en: "is in memory, gone at a restart",
    },
    { nl: "zet het op een schijf", en: "put it on a disk" },
  );
}

/** SQLite's locks and syncs are not to be relied on everywhere (sqlite.org, "How To Corrupt", 2.1). */
async function lockable(path: string): Promise<Seen> {
  const kind = kindOf((await statfs(path)).type);
  if (!["fat", "exfat", "nfs", "cifs", "smb2", "fuse"].includes(kind)) {
    return fit("geschikt voor de catalogus", "good for the catalog");
  }
  return warning(
    {
      nl: `${kind} is onbetrouwbaar voor de catalogus`,
      en: `${kind} is unreliable for the catalog`,
    },
    {
      nl: "zet state: op een lokale ext4, xfs of btrfs",
      en: "put state: on a local ext4, xfs, btrfs",
    },
  );
}

/** Writes and syncs for real: a disk that lies about room or rights is found here. */
async function syncs(clock: Clock, folder: string): Promise<Seen> {
  const path = join(folder, ".fitness");
  const before = clock.uptimeMs();
  try {
    // A new one: root may look as well, and what is called so in the box's folder could be a link.
    await rm(path, { force: true });
    await using file = await open(path, "wx", 0o600);
    await file.writeFile(Buffer.alloc(PROBE_BYTES));
    await file.sync();
  } finally {
    await rm(path, { force: true });
  }
  const tookMs = clock.uptimeMs() - before;
  if (tookMs <= SLOW_SYNC_MS) return fit(`schrijft in ${tookMs} ms`, `writes in ${tookMs} ms`);
  return warning(
    { nl: `schrijven duurt ${tookMs} ms`, en: `a write takes ${tookMs} ms` },
    { nl: "kijk naar de schijf (smartctl)", en: "look at the disk (smartctl)" },
  );
}
