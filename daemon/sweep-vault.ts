import { z } from "zod";
import { atMostEvery } from "#base/at-most-every";
import { BewaardError } from "#base/errors";
import type { NodeId } from "#base/ids";
import { type Clock, DAY_MS, every, HOUR_MS, type Instant } from "#base/time";
import { endBreaches, type Overdue, recordBreaches } from "../storage/catalog/breaches.ts";
import { readFact, writeFact } from "../storage/catalog/facts.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { append } from "../storage/ledger/append.ts";
import { type Seen, sweepFootage, sweepMedium } from "../storage/sweep/sweep.ts";
import { footagePrefix } from "../storage/vault/keys.ts";
import type { Vault } from "../storage/vault/vault.ts";
import type { Events } from "./events.ts";
import type { AskHistory } from "./one-history.ts";
import { steady } from "./steady.ts";
import { timeTrust } from "./trust.ts";

const SWEEP_EVERY_MS = 7 * DAY_MS;
/** A write that was seen a day ago and still is there belongs to nobody. */
const STALE_AFTER_MS = DAY_MS;
/** So many unfinished writes are remembered: more are a fault of another kind. */
const REMEMBERED = 1000;

const swept = z.strictObject({
  /** When the vault was last swept; null before the first time. */
  atMs: z.int().nullable(),
  /** When unfinished writes were last looked at, and when each was first seen. */
  lookedMs: z.int(),
  unfinished: z.record(z.string(), z.int()),
});
type Remembered = z.output<typeof swept>;

/**
 * Sweeps the vault's footage weekly, until the signal aborts (procedure "Sweep"). When it did is in the catalog: a
 * restart neither repeats it nor forgets it. It waits for trusted time, by which it tells what is too old,
 * and for one history, without which a row that is missing says nothing.
 */
export async function sweepVault(
  clock: Clock,
  events: Events,
  database: Database,
  vault: Vault,
  node: NodeId,
  medium: Vault | undefined,
  askHistory: AskHistory,
  signal: AbortSignal,
): Promise<void> {
  const turn = steady(clock, events, "sweep-vault");
  const hourly = atMostEvery(clock, HOUR_MS);
  for await (const now of every(clock, HOUR_MS, signal)) {
    await turn(async () => {
      try {
        if (!(await timeTrust(clock, database)).trusted) return;
        if ((await askHistory(signal)) !== "one") return;
        await sweepIfDue(events, database, vault, node, medium, now, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof BewaardError)) throw error;
        if (hourly(error.code)) events.sweepDelayed(error);
      }
    });
  }
}

async function sweepIfDue(
  events: Events,
  database: Database,
  vault: Vault,
  node: NodeId,
  medium: Vault | undefined,
  now: Instant,
  signal: AbortSignal,
): Promise<void> {
  let known = await remembered(database);
  // A clock that was set back must not put it off.
  const due = known.atMs === null || Math.abs(now - known.atMs) >= SWEEP_EVERY_MS;
  if (due || Math.abs(now - known.lookedMs) >= STALE_AFTER_MS)
    known = await lookAtUnfinished(database, vault, node, known, now);
  if (!due) return;
  const stale = Object.entries(known.unfinished)
    .filter(([, sinceMs]) => now - sinceMs >= STALE_AFTER_MS)
    .map(([key]) => key);
  const seen = await sweepFootage(database, vault, node, stale, now, signal);
  const beside = medium && (await mediumIfHere(database, medium, node, now, signal));
  const all = {
    ...seen,
    findings: [...seen.findings, ...(beside?.findings ?? [])],
    overdue: [...seen.overdue, ...(beside?.overdue ?? [])],
  };
  const unseen = beside === undefined ? (["secured"] as const) : [];
  await tell(events, database, { ...known, atMs: now }, all, unseen, now);
}

/** A medium that is away is presented another week. */
async function mediumIfHere(
  database: Database,
  medium: Vault,
  node: NodeId,
  now: Instant,
  signal: AbortSignal,
): Promise<Pick<Seen, "findings" | "overdue"> | undefined> {
  try {
    return await sweepMedium(database, medium, node, now, signal);
  } catch (error) {
    if (error instanceof BewaardError && error.transient) return undefined;
    throw error;
  }
}

async function remembered(database: Database): Promise<Remembered> {
  const text = await database.transaction((sql) => readFact(sql, "swept"));
  return text === undefined
    ? { atMs: null, lookedMs: 0, unfinished: {} }
    : swept.parse(JSON.parse(text));
}

/** The vault does not say when a write was begun: who is there a day later is left over. */
async function lookAtUnfinished(
  database: Database,
  vault: Vault,
  node: NodeId,
  known: Remembered,
  now: Instant,
): Promise<Remembered> {
  const keys = (await vault.unfinished(footagePrefix(node))).slice(0, REMEMBERED);
  const unfinished = Object.fromEntries(keys.map((key) => [key, known.unfinished[key] ?? now]));
  const next = { ...known, lookedMs: now, unfinished };
  await database.transaction((sql) => writeFact(sql, "swept", JSON.stringify(next)));
  return next;
}

async function tell(
  events: Events,
  database: Database,
  next: Remembered,
  { counts, findings, overdue }: Seen,
  unseen: readonly Overdue["place"][],
  now: Instant,
): Promise<void> {
  const fresh = await recordBreaches(database, now, "vault", overdue);
  await endBreaches(
    database,
    now,
    "vault",
    overdue.map(({ what }) => what),
    unseen,
  );
  await database.transaction(async (sql) => {
    const facts = { ...counts, breaches: overdue.length };
    await append(sql, now, [{ kind: "vault.swept", facts }]);
    await writeFact(sql, "swept", JSON.stringify(next));
  });
  for (const one of fresh) events.breach(one.what, one.place, now);
  for (const what of findings) events.sweepFound(what);
  events.swept(counts);
}
