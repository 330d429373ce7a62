import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { writeDurably } from "#base/durable";
import { BewaardError, systemCode } from "#base/errors";
import type { NodeId } from "#base/ids";
import { step } from "#base/step";
import { TERM_LIMIT_MS } from "#base/term";
import { type Clock, DAY_MS, dayOf, every, type Instant, instant } from "#base/time";
import { archiveDue, gather } from "../storage/catalog/archive.ts";
import { letLeave } from "../storage/catalog/archive-leave.ts";
import {
  type Archive,
  archiveUnderWay,
  forgetArchive,
  intendArchive,
  newestArchive,
  recordArchived,
} from "../storage/catalog/archived.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { canonical } from "../storage/ledger/canonical.ts";
import { type RecipientBook, recipientFor } from "../storage/seal/recipients.ts";
import { sealBytes } from "../storage/seal/small.ts";
import { bytesBody } from "../storage/vault/body.ts";
import { archiveKey } from "../storage/vault/keys.ts";
import { FREELY, type Vault } from "../storage/vault/vault.ts";
import type { Events } from "./events.ts";
import type { AskHistory } from "./one-history.ts";
import { steady } from "./steady.ts";
import { timeTrust } from "./trust.ts";

/** After destruction rows stay this long on the box: a year's audit finds them there. */
const ARCHIVE_AFTER_MS = 400 * DAY_MS;

/** What an archive needs beside the catalog. */
export interface Archiving {
  readonly node: NodeId;
  /** Where the sealed archive lies until the vault has it. */
  readonly path: string;
  readonly readBook: () => Promise<RecipientBook>;
  /** How long after its destruction the rows of a segment leave. */
  readonly afterMs: number;
}

export function archiving(
  node: NodeId,
  path: string,
  readBook: () => Promise<RecipientBook>,
): Archiving {
  return { node, path, readBook, afterMs: ARCHIVE_AFTER_MS };
}

/**
 * Moves old rows to sealed archives in the vault, daily, until the signal aborts (procedure "Archive").
 * Nothing leaves while time is not trusted: a clock that is ahead would make everything old. Nor while the
 * ledger is not known to be the one that left this box: what is looked for then is in the older rows.
 */
export async function archive(
  clock: Clock,
  events: Events,
  database: Database,
  vault: Vault,
  box: Archiving,
  askHistory: AskHistory,
  signal: AbortSignal,
): Promise<void> {
  const turn = steady(clock, events, "archive");
  for await (const now of every(clock, DAY_MS, signal)) {
    await turn(async () => {
      try {
        if ((await askHistory(signal)) !== "one") return;
        await finishLeaving(database, box);
        while (!signal.aborted && (await timeTrust(clock, database)).trusted) {
          const done = await archiveOnce(clock, database, vault, box, now, signal);
          if (!done) break;
          events.archived(done.key, done.first, done.last);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof BewaardError)) throw error;
        events.archiveDelayed(error);
      }
    });
  }
}

/** A crash may have come between the vault's word and the last row. */
async function finishLeaving(database: Database, box: Archiving): Promise<void> {
  const newest = await newestArchive(database);
  if (!newest) return;
  await letLeave(database, newest);
  if (!(await archiveUnderWay(database))) await rm(box.path, { force: true });
}

/** Archives the next few thousand entries and what belongs to them. Undefined when nothing is old enough. */
export async function archiveOnce(
  clock: Clock,
  database: Database,
  vault: Vault,
  box: Archiving,
  now: Instant,
  signal: AbortSignal,
): Promise<Archive | undefined> {
  const next = (await underWay(database, box)) ?? (await make(clock, database, box, now));
  if (!next) return undefined;
  const { found, sealed } = next;
  await vault.put(found.key, bytesBody(sealed), FREELY, signal);
  step("archive.put");
  await recordArchived(database, clock.now(), found);
  step("archive.recorded");
  await letLeave(database, found);
  step("archive.left");
  await rm(box.path, { force: true });
  return found;
}

interface Made {
  readonly found: Archive;
  readonly sealed: Uint8Array;
}

/** The archive a crash cut off, while its sealed file is the one that was announced. */
async function underWay(database: Database, box: Archiving): Promise<Made | undefined> {
  const found = await archiveUnderWay(database);
  if (!found) return undefined;
  const sealed = await readIfThere(box.path);
  if (sealed && sha256(sealed) === found.sha256) return { found, sealed };
  await forgetArchive(database, found);
  return undefined;
}

async function make(
  clock: Clock,
  database: Database,
  box: Archiving,
  now: Instant,
): Promise<Made | undefined> {
  // What was sealed by then was due, unless held, a term later, and has been gone `afterMs` now.
  const before = now - box.afterMs - TERM_LIMIT_MS - DAY_MS;
  const range = before > 0 ? await archiveDue(database, instant(before)) : undefined;
  if (!range) return undefined;
  const gathered = await gather(database, range, instant(now - box.afterMs));
  const { first, last } = range;
  const head = canonical({ bewaard: "archive/1", node: box.node, first, last });
  const lines = [head, ...gathered.lines];
  const { recipient } = recipientFor(await box.readBook(), dayOf(now));
  const sealed = await sealBytes([recipient], Buffer.from(lines.map((l) => `${l}\n`).join("")));
  await writeDurably(box.path, sealed, 0o600);
  step("archive.sealed");
  const key = archiveKey(box.node, now, first, last);
  const digest = { sha256: sha256(sealed), bytes: sealed.length };
  const found = await intendArchive(database, clock.now(), key, { ...gathered, lines }, digest);
  step("archive.intended");
  return { found, sealed };
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
