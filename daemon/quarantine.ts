import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { ulid } from "ulid";
import { syncDirectory } from "#base/durable";
import { BewaardError, type ErrorCode, systemCode } from "#base/errors";
import type { Instant } from "#base/time";
import {
  dueQuarantine,
  recordQuarantineDestroyed,
  recordQuarantined,
} from "../storage/catalog/quarantined.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { incomingFolder, quarantineFolder, type Spool } from "../storage/spool/spool.ts";
import type { Events } from "./events.ts";
import { dueFromArrival, type Term } from "./term.ts";

/**
 * Sets apart a manifest that was not believed, with the sealed file beside it: never dropped. It has been
 * here `since`, which its due moment is reckoned from.
 */
export async function quarantine(
  database: Database,
  spool: Spool,
  term: Term,
  producer: string,
  name: Uint8Array,
  code: ErrorCode,
  trusted: boolean,
  since: Instant,
  now: Instant,
): Promise<void> {
  const id = ulid(now);
  const folder = quarantineFolder(spool, id);
  await mkdir(folder, { mode: 0o700 });
  const from = incomingFolder(spool, producer);
  const sealed = Buffer.concat([name.subarray(0, -".json".length), Buffer.from(".age")]);
  for (const moved of [sealed, name]) await moveIfThere(from, folder, moved);
  await syncDirectory(folder);
  await syncDirectory(join(spool.path, "quarantine"));
  await syncDirectory(from);
  const dueAt = dueFromArrival(since, term);
  const found = { id, producer, name, code, arrivedAt: since, dueAt, dueProvisional: !trusted };
  await recordQuarantined(database, now, found);
}

/** Records quarantine folders that a crash left without their row. */
export async function recoverQuarantine(
  database: Database,
  spool: Spool,
  term: Term,
  now: Instant,
): Promise<void> {
  for (const id of await readdir(join(spool.path, "quarantine"))) {
    if (!/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(id)) continue;
    await recordQuarantined(database, now, {
      id,
      producer: "unknown",
      name: Buffer.alloc(0),
      code: "MANIFEST_LIES",
      arrivedAt: now,
      dueAt: dueFromArrival(now, term),
      dueProvisional: true,
    });
  }
}

/**
 * Destroys what has been in quarantine for its term (invariant 3). What the disk will not let go keeps no
 * other from leaving.
 * @throws BewaardError SPOOL_IO (transient) for the last such.
 */
export async function emptyQuarantine(
  events: Events,
  database: Database,
  spool: Spool,
  now: Instant,
): Promise<void> {
  let refused: BewaardError | undefined;
  for (const id of await dueQuarantine(database, now)) {
    try {
      await rm(quarantineFolder(spool, id), { recursive: true, force: true });
      await syncDirectory(join(spool.path, "quarantine"));
    } catch (cause) {
      const code = systemCode(cause);
      if (code === undefined) throw cause;
      const message = `${id} in quarantine cannot be removed (${code})`;
      refused = new BewaardError("SPOOL_IO", message, { transient: true, cause });
      continue;
    }
    await recordQuarantineDestroyed(database, now, id);
    events.quarantineDestroyed(id);
  }
  if (refused) throw refused;
}

async function moveIfThere(from: string, to: string, name: Uint8Array): Promise<void> {
  const at = (folder: string): Buffer => Buffer.concat([Buffer.from(`${folder}/`), name]);
  try {
    await rename(at(from), at(to));
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}
