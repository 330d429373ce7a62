import { BewaardError } from "#base/errors";
import type { NodeId } from "#base/ids";
import { TERM_LIMIT_MS } from "#base/term";
import { type Instant, plus } from "#base/time";
import type { Overdue } from "../catalog/breaches.ts";
import { isStored } from "../catalog/copies.ts";
import { isHeldHere } from "../catalog/lost-holds.ts";
import type { Database } from "../catalog/sqlite.ts";
import { keyKnown } from "../check-rowless.ts";
import { footagePrefix, startOf } from "../vault/keys.ts";
import type { ObjectVersion, Vault } from "../vault/vault.ts";
import { type Both, joined } from "./joined.ts";
import { type Expected, rowsInKeyOrder } from "./rows-in-key-order.ts";

const NOTHING = {
  /** Keys in the vault. */
  objects: 0,
  /** In the vault, and no row speaks of it. */
  orphans: 0,
  /** The catalog says that the vault has it, and it has not. */
  missing: 0,
  /** Of another length than what was sealed, or not the version that was recorded. */
  wrongSize: 0,
  /** Versions beside the one that was recorded. */
  versions: 0,
  /** Delete markers over what is missing: somebody deleted it. */
  markers: 0,
  /** Writes that were begun more than a day ago and that nobody finished. */
  unfinished: 0,
  /** The vault holds it, and no desk entry does. */
  unheld: 0,
};

/** How many of each a sweep saw. */
export type Swept = Readonly<typeof NOTHING>;

/** The counts are whole; findings and what is overdue are the first thousand. */
export interface Seen {
  readonly counts: Swept;
  readonly findings: readonly string[];
  readonly overdue: readonly Overdue[];
}

const SHOWN = 1000;

type Say = (count: keyof Swept, what: string) => void;

/**
 * Compares the footage that the vault has with the catalog (invariants 3, 4, 6): lists it once, goes through
 * the rows beside it, and keeps nothing of either. What differs is looked at again before it is told, for
 * the box goes on meanwhile. Nothing is changed: a program that deletes what it does not know destroys
 * footage on the day its catalog is wrong. `stale` are keys whose write was begun more than a day ago.
 * @throws BewaardError VAULT_UNAVAILABLE (transient).
 */
export async function sweepFootage(
  database: Database,
  vault: Vault,
  node: NodeId,
  stale: readonly string[],
  now: Instant,
  signal: AbortSignal,
): Promise<Seen> {
  const counts = { ...NOTHING };
  const findings: string[] = [];
  const overdue: Overdue[] = [];
  const say: Say = (count, what) => {
    counts[count] += 1;
    if (findings.length < SHOWN) findings.push(what);
  };
  const tooOld = (what: string, place: Overdue["place"]): void => {
    const startedAt = startOf(what);
    const since = startedAt === undefined ? undefined : plus(startedAt, TERM_LIMIT_MS);
    if (since !== undefined && since <= now && overdue.length < SHOWN)
      overdue.push({ what, place, since });
  };
  const listed = vault.list(footagePrefix(node), signal);
  for await (const { key, expected, versions } of joined(rowsInKeyOrder(database, node), listed)) {
    signal.throwIfAborted();
    if (versions.length > 0) counts.objects += 1;
    // What its row calls gone, or never stored, is no more expected than what has no row.
    const awaited = expected?.copy !== undefined && expected.copy !== "gone";
    if (expected !== undefined && (awaited || versions.length === 0))
      await lookAtRow(database, vault, { key, versions }, expected, say);
    else if (await isOrphan(database, vault, node, key, say)) tooOld(key, "vault");
  }
  for (const key of stale) {
    say("unfinished", `${key} was begun more than a day ago and is not finished`);
    tooOld(key, "unfinished");
  }
  return { counts, findings, overdue };
}

/**
 * Looks at what lies on the separate medium: what no row speaks of is told, and a breach once it is too old.
 * What its rows say is looked at daily by who keeps it.
 * @throws BewaardError VAULT_UNAVAILABLE, VAULT_IDENTITY (transient) where it is away.
 */
export async function sweepMedium(
  database: Database,
  medium: Vault,
  node: NodeId,
  now: Instant,
  signal: AbortSignal,
): Promise<Pick<Seen, "findings" | "overdue">> {
  const findings: string[] = [];
  const overdue: Overdue[] = [];
  for await (const { key } of medium.list(footagePrefix(node), signal)) {
    const known = () => keyKnown(database, node, key, "secured");
    if (await known()) continue;
    if ((await medium.versions(key)).length === 0 || (await known())) continue;
    if (findings.length < SHOWN) findings.push(`${key} on the separate medium has no row`);
    const startedAt = startOf(key);
    if (startedAt === undefined || startedAt + TERM_LIMIT_MS > now) continue;
    const since = plus(startedAt, TERM_LIMIT_MS);
    if (overdue.length < SHOWN) overdue.push({ what: `medium/${key}`, place: "secured", since });
  }
  return { findings, overdue };
}

/** True for what no row speaks of and nothing holds: of that only the time in its key is known. */
async function isOrphan(
  database: Database,
  vault: Vault,
  node: NodeId,
  key: string,
  say: Say,
): Promise<boolean> {
  const known = () => keyKnown(database, node, key, "vault");
  if (await known()) return false;
  const versions = await vault.versions(key);
  // Stored, or destroyed, since it was listed.
  if (versions.length === 0 || (await known())) return false;
  say("orphans", `${key} in the vault has no row`);
  if (!(await anyHeld(vault, key, versions))) return true;
  say("unheld", `${key} is held by no desk entry`);
  return false;
}

async function lookAtRow(
  database: Database,
  vault: Vault,
  { key, versions }: Omit<Both, "expected">,
  { segment, copy, versionId, held }: Expected,
  say: Say,
): Promise<void> {
  const { id } = segment;
  if (copy === "present" && segment.state === "stored") {
    const there = versions.length > 0 ? versions : await vault.versions(key);
    const recorded = there.find((one) => one.versionId === versionId);
    const right = recorded?.bytes === segment.ciphertextBytes;
    // What was destroyed since its row was read is rightly gone.
    if (!right && !(await isStored(database, id))) return;
    if (there.length === 0) say("missing", `${id} is not in the vault`);
    else if (!right) say("wrongSize", `${id} in the vault is not what was recorded`);
    if (there.length === 0 && (await vault.traces(key)).markers > 0)
      say("markers", `${id} was deleted in the vault by somebody`);
    for (const other of there.filter((one) => one !== recorded))
      say("versions", `${id} has another version in the vault: ${other.versionId}`);
  }
  // A hold may have come since, and a release be on its way.
  if (!held && (await anyHeld(vault, key, versions)) && !(await isHeldHere(database, id)))
    say("unheld", `${id} is held by no desk entry`);
}

async function anyHeld(
  vault: Vault,
  key: string,
  versions: readonly ObjectVersion[],
): Promise<boolean> {
  if (vault.level === "plain") return false;
  try {
    for (const { versionId } of versions) if (await vault.isHeld(key, versionId)) return true;
    return false;
  } catch (error) {
    // Destroyed meanwhile: nothing holds it.
    if (error instanceof BewaardError && error.code === "VAULT_NOT_FOUND") return false;
    throw error;
  }
}
