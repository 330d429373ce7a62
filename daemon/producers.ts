import type { Stats } from "node:fs";
import { lstat } from "node:fs/promises";
import { basename, join } from "node:path";
import { diskError } from "#base/disk-errors";
import { BewaardError, systemCode } from "#base/errors";
import { createIncoming, incomingFolder, type Spool } from "../storage/spool/spool.ts";
import type { Producer } from "./adopt.ts";
import type { ProducerName } from "./own-facts.ts";

/** Who hands footage over, each in a folder of its own. */
const PRODUCERS: readonly ProducerName[] = ["dock", "record"];

/** Makes the folders in which facts are handed over, where they are not there. @throws BewaardError SPOOL_FULL, SPOOL_IO (transient). */
export async function makeProducersRoom(spool: Spool): Promise<void> {
  for (const producer of PRODUCERS) await createIncoming(spool, producer);
}

/**
 * Whose facts core takes out of each folder of incoming/: those of the user whose folder it is, which is what root gave it.
 * Nobody else may have put that folder there, so `incoming` itself has to be core's alone. And core's own: only core or root
 * can have put those there, before the folder was given away.
 * @throws BewaardError SPOOL_OWNER where it is not; SPOOL_IO (transient).
 */
export async function readProducers(spool: Spool): Promise<readonly Producer[]> {
  const me = process.geteuid?.() ?? 0;
  const incoming = await folderAt(join(spool.path, "incoming"));
  if (incoming && incoming.uid !== me) throw notOurs(`incoming belongs to user ${incoming.uid}`);
  if (incoming && (incoming.mode & 0o022) !== 0) throw notOurs("others may write to incoming");
  const producers: Producer[] = [];
  for (const name of PRODUCERS) {
    const folder = await folderAt(incomingFolder(spool, name));
    // Where a full disk kept it from being made, whoever makes it is core's own user.
    const owner = folder?.uid ?? me;
    producers.push({ name, owners: owner === me ? [me] : [owner, me] });
  }
  return producers;
}

/** A folder itself, and no link to one; undefined where it is not there. */
async function folderAt(path: string): Promise<Stats | undefined> {
  try {
    const found = await lstat(path);
    if (found.isDirectory()) return found;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw diskError(error, "looking whose a producer is");
  }
  throw notOurs(`${basename(path)} is no folder`);
}

function notOurs(why: string): BewaardError {
  return new BewaardError("SPOOL_OWNER", `${why}: it must be core's own, and nobody else's`);
}
