import { lstat, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { diskError } from "#base/disk-errors";
import { syncDirectory, writeDurably } from "#base/durable";
import { BewaardError, systemCode } from "#base/errors";
import { joined } from "../drivers/bodycam/card.ts";
import { closeTruncated } from "../storage/spool/close-truncated.ts";
import { sealedPath } from "../storage/spool/incoming.ts";
import { type Intent, intentPath, readIntent } from "../storage/spool/intent.ts";
import type { Dock } from "./dock.ts";
import type { Events } from "./events.ts";

const OURS = /^([0-7][0-9A-HJKMNP-TV-Z]{25})\.(?:age|age\.partial|intent)$/;

/**
 * Settles what a crash left half done of recording in `incoming`, before anything new is sealed there: it is
 * closed as truncated and kept, because nobody can have it again (docs/design.md, procedure "Record").
 * @throws BewaardError SPOOL_FULL, SPOOL_IO (transient): what is left then is settled at the next start.
 */
export async function settleCutOff(events: Events, incoming: string): Promise<void> {
  try {
    await settleAll(incoming, (id) => settleSourceless(events, incoming, id));
  } catch (error) {
    throw diskError(error, "settling what a crash left");
  }
}

/**
 * Settles what a crash left half done in `incoming`, before anything new is sealed: where the same file
 * is still on a docked card it is removed, and taken again; where it is not, it is closed as truncated
 * and kept (docs/design.md, procedure "Seal").
 * @throws BewaardError SPOOL_FULL, SPOOL_IO (transient): what is left then is settled at the next start.
 */
export async function settleLeftovers(
  events: Events,
  incoming: string,
  docks: readonly Dock[],
): Promise<void> {
  try {
    await settleAll(incoming, (id) => settle(events, incoming, docks, id));
  } catch (error) {
    throw diskError(error, "settling what a crash left");
  }
}

async function settleAll(
  incoming: string,
  settleOne: (id: string) => Promise<void>,
): Promise<void> {
  const names = new Set(await readdir(incoming));
  const ids = new Set<string>();
  for (const name of names) {
    const [, id] = OURS.exec(name) ?? [];
    if (id !== undefined) ids.add(id);
    else if (name.endsWith(".partial")) await rm(join(incoming, name), { force: true });
  }
  for (const id of ids) {
    const sealed = names.has(`${id}.age`) || names.has(`${id}.age.partial`);
    if (names.has(`${id}.json`) || !sealed) await rm(intentPath(incoming, id), { force: true });
    else await settleOne(id);
  }
  await syncDirectory(incoming);
}

async function settle(
  events: Events,
  incoming: string,
  docks: readonly Dock[],
  id: string,
): Promise<void> {
  const intent = await intentOf(incoming, id);
  if (intent === "unreadable") return setApart(incoming, id);
  // Older releases wrote none, and only ever sealed what stayed on its card.
  if (!intent || (await sourceIsThere(docks, intent))) {
    await rm(`${sealedPath(incoming, id)}.partial`, { force: true });
    await rm(sealedPath(incoming, id), { force: true });
    await syncDirectory(incoming);
    await rm(intentPath(incoming, id), { force: true });
    return;
  }
  await close(events, incoming, intent);
}

async function settleSourceless(events: Events, incoming: string, id: string): Promise<void> {
  const intent = await intentOf(incoming, id);
  if (intent === undefined || intent === "unreadable") await setApart(incoming, id);
  else await close(events, incoming, intent);
}

async function close(events: Events, incoming: string, intent: Intent): Promise<void> {
  const closed = await closeTruncated(incoming, intent);
  if (closed === "closed") events.truncatedClosed(intent.id, intent.device);
  else events.cutOffEmpty(intent.id, intent.device);
}

async function intentOf(incoming: string, id: string): Promise<Intent | "unreadable" | undefined> {
  try {
    return await readIntent(incoming, id);
  } catch (error) {
    if (error instanceof BewaardError && error.code === "MANIFEST_LIES") return "unreadable";
    throw error;
  }
}

/** Nobody knows what it is. Core will not believe it as a manifest, and quarantines it with its file. */
async function setApart(incoming: string, id: string): Promise<void> {
  await renameIfThere(`${sealedPath(incoming, id)}.partial`, sealedPath(incoming, id));
  const manifest = join(incoming, `${id}.json`);
  if (!(await renameIfThere(intentPath(incoming, id), manifest))) {
    await writeDurably(manifest, "{}\n", 0o400);
  }
}

async function renameIfThere(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** The same file as when sealing began, as far as its name, length and time of change can tell. */
async function sourceIsThere(docks: readonly Dock[], intent: Intent): Promise<boolean> {
  const dock = docks.find(({ device }) => device === intent.device);
  if (!dock || !intent.file) return false;
  const path = joined(Buffer.from(dock.folder), Buffer.from(intent.file.path, "base64"));
  try {
    const { size, mtimeMs } = await lstat(path);
    return size === intent.sourceBytes && Math.floor(mtimeMs) === intent.file.modifiedAt;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}
