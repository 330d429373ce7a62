import { atMostEvery } from "#base/at-most-every";
import { BewaardError } from "#base/errors";
import type { NodeId, SegmentId } from "#base/ids";
import { step } from "#base/step";
import { DUE_MARGIN_MS } from "#base/term";
import { type Clock, DAY_MS, every, HOUR_MS, type Instant, instant, MINUTE_MS } from "#base/time";
import { closeSweep } from "../storage/catalog/batches.ts";
import {
  type Doomed,
  destroyingSegments,
  dueSegments,
  type LookedAgain,
  markDestroying,
  recordDestroyed,
} from "../storage/catalog/due.ts";
import { countUndecided } from "../storage/catalog/left.ts";
import { recordConsistent, waitsForConsistency } from "../storage/catalog/rebuilt.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { recordWatched } from "../storage/catalog/watched.ts";
import { eraseDetails } from "../storage/ledger/details.ts";
import type { Spool } from "../storage/spool/spool.ts";
import { footageKey } from "../storage/vault/keys.ts";
import type { Vault } from "../storage/vault/vault.ts";
import { destroySegment } from "./destroy.ts";
import type { Events } from "./events.ts";
import type { AskHistory } from "./one-history.ts";
import { emptyQuarantine } from "./quarantine.ts";
import { settleTerms } from "./settle-terms.ts";
import { steady } from "./steady.ts";
import type { Term } from "./term.ts";
import { timeTrust } from "./trust.ts";
import { watchBucket } from "./watch-bucket.ts";

/** Reads what the desk decided. False when the desk cannot be read now; it said so itself. */
export type HeedDesk = (now: Instant, signal: AbortSignal) => Promise<boolean>;

const AT_ONCE = 100;
/** So many are marked in one transaction, and so large is their batch at most: in memory whole when it closes. */
const DUE_AT_ONCE = 1000;
/** Without the desk's word, or the vault's, wait for it as long as the law allows (invariant 4). */
const DESK_PATIENCE_MS = DUE_MARGIN_MS - 10 * MINUTE_MS;

/**
 * Destroys what is due, each minute, until the signal aborts (procedure "Destroy"). Destroys nothing
 * while time is not trusted, however old it is (invariant 10), nor while the ledger here is another than
 * the one that left this box (invariant 5): a catalog that was set back does not know what is held. One that
 * was made from the vault destroys nothing, however late it is, until both vault and desk have been read.
 */
export async function retain(
  clock: Clock,
  events: Events,
  database: Database,
  spool: Spool,
  vault: Vault,
  node: NodeId,
  term: Term,
  heedDesk: HeedDesk,
  askHistory: AskHistory,
  signal: AbortSignal,
): Promise<void> {
  // Where the bucket's own rule destroys, what was held has its time from the release on (AR-29).
  const afterReleaseMs = vault.level === "locked" ? term.destroyWithinMs : 0;
  const turn = steady(clock, events, "retain");
  const daily = atMostEvery(clock, DAY_MS);
  const hourly = atMostEvery(clock, HOUR_MS);
  for await (const now of every(clock, MINUTE_MS, signal)) {
    await turn(async () => {
      const undecided = await countUndecided(database, now);
      if (undecided > 0 && daily("undecided")) events.decisionDue(undecided);
      const trust = await timeTrust(clock, database);
      const heeded = await heedDesk(now, signal);
      const history = await askHistory(signal);
      if (!trust.trusted) return;
      if (history === "diverged") return;
      if (await waitsForConsistency(database)) {
        if (!heeded || history !== "one") {
          if (daily("rebuilt")) events.rebuiltWaits();
          return;
        }
        await recordConsistent(database);
      }
      await settleTerms(clock, database, term);
      // A hold may be on its way: what only the lock has let go waits for its term.
      const due = (skip: number) =>
        heeded && history === "one"
          ? dueSegments(database, now, DUE_AT_ONCE, "locks ended", skip)
          : dueSegments(
              database,
              instant(now - DESK_PATIENCE_MS),
              DUE_AT_ONCE,
              "terms ended",
              skip,
            );
      await markDue(clock, events, database, vault, node, due, afterReleaseMs, daily, signal);
      await destroyMarked(clock, events, database, spool, vault, node, hourly, signal);
      const close = () => closeDestroyed(clock, events, database);
      if (hourly("bucket"))
        await watchBucket(clock, events, database, vault, node, hourly, close, signal);
      await close();
      await emptyQuarantine(events, database, spool, now);
      await eraseDetails(database, now);
    });
  }
}

/** Marks what is due, except what the vault itself holds: that stays, with or without a desk entry. */
async function markDue(
  clock: Clock,
  events: Events,
  database: Database,
  vault: Vault,
  node: NodeId,
  dueAfter: (skip: number) => Promise<readonly Doomed[]>,
  afterReleaseMs: number,
  alarm: (why: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  // Those stay due: they keep no other from being looked at.
  let held = 0;
  for (;;) {
    const due = await dueAfter(held);
    const free: SegmentId[] = [];
    for (const segment of due) {
      if (signal.aborted) return;
      if (!(await heldByVault(vault, node, segment))) free.push(segment.id);
      else if (alarm(segment.id)) events.heldByVaultOnly(segment.id);
    }
    held += due.length - free.length;
    if (free.length > 0) {
      await markDestroying(database, clock.now(), free, afterReleaseMs);
      step("destroy.marked");
    }
    if (due.length < DUE_AT_ONCE) return;
  }
}

async function heldByVault(vault: Vault, node: NodeId, segment: Doomed): Promise<boolean> {
  const key = footageKey(node, segment.device, segment.startedAt, segment.id);
  try {
    for (const { versionId } of await vault.versions(key)) {
      if (await vault.isHeld(key, versionId)) return true;
    }
    return false;
  } catch (error) {
    // A vault that does not answer keeps its own holds; the rest follows the law (invariant 4).
    if (error instanceof BewaardError) return false;
    throw error;
  }
}

async function destroyMarked(
  clock: Clock,
  events: Events,
  database: Database,
  spool: Spool,
  vault: Vault,
  node: NodeId,
  sayNow: (what: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  let after = "";
  for (;;) {
    const doomed = await destroyingSegments(database, after, AT_ONCE);
    const gone: LookedAgain[] = [];
    const left: SegmentId[] = [];
    for (const segment of doomed) {
      after = segment.id;
      if (signal.aborted) break;
      try {
        const seen = await destroySegment(spool, vault, node, segment);
        if (seen === "left to the bucket") left.push(segment.id);
        else gone.push(seen);
      } catch (error) {
        if (!(error instanceof BewaardError)) throw error;
        if (sayNow(segment.id)) events.destroyDelayed(segment.id, error);
      }
    }
    if (left.length > 0) await recordWatched(database, clock.now(), left);
    if (left.length > 0) step("destroy.left-to-bucket");
    for (const { id, missing } of gone) if (missing) events.vaultCopyMissing(id);
    if (gone.length > 0) await recordDestroyed(database, clock.now(), gone);
    if (gone.length > 0) step("destroy.recorded");
    if (doomed.length < AT_ONCE || signal.aborted) return;
    // After weeks without the vault there are hundreds of thousands: no batch of all of them.
    await closeDestroyed(clock, events, database);
  }
}

/** Ends a sweep, also one that a crash cut off. */
async function closeDestroyed(clock: Clock, events: Events, database: Database): Promise<void> {
  const destroyed = await closeSweep(database, "destroyed", clock.now());
  if (destroyed === 0) return;
  step("destroy.batch-closed");
  events.destroyed(destroyed);
}
