import type { SegmentId } from "#base/ids";
import { step } from "#base/step";
import { type Clock, HOUR_MS, MINUTE_MS } from "#base/time";
import { together } from "#base/together";
import { closeSweep } from "../storage/catalog/batches.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import type { VaultLevel } from "../storage/vault/vault.ts";
import { openLine } from "./store-line.ts";
import type { Outcome, StoreOne } from "./store-one.ts";

/** What failed by itself waits this long, so that one bad segment does not hold up the others. */
const WAIT_MS: Readonly<Record<Outcome, number>> = {
  stored: 0,
  unwanted: 0,
  unanswered: MINUTE_MS,
  refused: HOUR_MS,
};

/** Longer than a vault that is away is left alone, so that others are tried when it is asked again. */
const SUSPECT_WAIT_MS = HOUR_MS / 2;

/** What the queue learned of the vault: whether it answers, or that there was nothing to ask. */
type VaultSeen = "answers" | "away" | "not asked";

/**
 * Stores all that waits, until nothing is left or the vault is away. `mayBeOpen`: a sweep that was cut off
 * may have left its batch open. The first to throw stops the others.
 */
export type Drain = (mayBeOpen: boolean, signal: AbortSignal) => Promise<VaultSeen>;

/** Makes the function that stores what waits, `parallel` segments at a time, the oldest first. */
export function drainer(
  clock: Clock,
  database: Database,
  level: VaultLevel,
  storeOne: StoreOne,
  parallel: number,
): Drain {
  // An idle box looks every five seconds: it need not ask each time whether a batch is open.
  let isOpen = false;
  const closeBatch = async (): Promise<void> => {
    if (!isOpen) return;
    // What is stored while it closes may be in the next one. And what fails is closed by the next turn.
    isOpen = false;
    const stored = await closeSweep(database, "stored", clock.now());
    if (stored > 0) step("store.batch-closed");
  };
  const line = openLine(clock, database, level, closeBatch);
  // One may have bad luck, and so may all that are under way at that moment; one more in a row is the vault.
  const awayAfter = parallel + 1;

  /** Those with which the vault seemed away the time before: it may be they, after all. */
  let suspects: ReadonlySet<SegmentId> = new Set();

  return async (mayBeOpen, signal) => {
    if (mayBeOpen) isOpen = true;
    let answers = false;
    let unanswered: SegmentId[] = [];
    const work = async (inner: AbortSignal): Promise<void> => {
      while (unanswered.length < awayAfter) {
        const segment = await line.next(inner);
        if (segment === undefined) return;
        const outcome = await storeOne(segment, inner).finally(() => line.done(segment.id, 0));
        line.done(segment.id, WAIT_MS[outcome]);
        if (outcome === "stored") answers = isOpen = true;
        if (outcome === "stored") unanswered = [];
        if (outcome === "unanswered") unanswered.push(segment.id);
      }
    };
    const workers = Array.from({ length: parallel }, () => work);
    await together(signal, workers);
    await closeBatch();
    const away = unanswered.length >= awayAfter || (unanswered.length > 0 && !answers);
    // It is the vault, not they: the oldest is the first to be tried when it is asked again. But where the same
    // fail again others get their turn, or a few that never succeed would keep all the others here.
    if (away) {
      line.recall(unanswered.filter((id) => !suspects.has(id)));
      for (const id of unanswered) if (suspects.has(id)) line.done(id, SUSPECT_WAIT_MS);
    }
    suspects = new Set(away ? unanswered : []);
    return away ? "away" : answers ? "answers" : "not asked";
  };
}
