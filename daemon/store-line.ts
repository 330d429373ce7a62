import type { SegmentId } from "#base/ids";
import { type Clock, SECOND_MS } from "#base/time";
import { segmentsToStore, type ToStore } from "../storage/catalog/copies.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import type { VaultLevel } from "../storage/vault/vault.ts";
import { wantedBy } from "./lock.ts";

/** Read at a time: few, so that what arrives meanwhile and is older comes soon, and memory stays flat. */
const AT_ONCE = 50;
/** With nothing to do while others are at work, somebody looks this often for what is new. */
const LOOK_AGAIN_MS = 5 * SECOND_MS;

/** Who is next to be stored. The rows of the catalog are the queue: here is who is under way, and who must wait. */
export interface Line {
  /** The oldest that is neither under way nor waiting; undefined once nothing is left and nothing under way. */
  next(signal: AbortSignal): Promise<ToStore | undefined>;
  /** It is no longer under way; it comes again only after so long, where it was not stored. */
  done(id: SegmentId, waitMs: number): void;
  /** These need not wait after all. */
  recall(ids: readonly SegmentId[]): void;
}

/** `between` is called before each read: what was done since the one before is settled there. */
export function openLine(
  clock: Clock,
  database: Database,
  level: VaultLevel,
  between: () => Promise<void>,
): Line {
  const waitUntil = new Map<SegmentId, number>();
  const underWay = new Set<SegmentId>();
  let page: ToStore[] = [];
  let reading: Promise<void> | undefined;
  let waiting: Promise<void> | undefined;
  let somebodyDone = new AbortController();

  const read = async (): Promise<void> => {
    await between();
    for (const [id, untilMs] of waitUntil) if (untilMs <= clock.uptimeMs()) waitUntil.delete(id);
    const except = [...waitUntil.keys(), ...underWay];
    const wanted = { ...wantedBy(level, clock.now()), except };
    page = [...(await segmentsToStore(database, wanted, AT_ONCE))];
  };

  // One waits for all who have nothing to do: until somebody is done, or it is time to look.
  const wait = async (signal: AbortSignal): Promise<void> => {
    const either = AbortSignal.any([signal, somebodyDone.signal]);
    try {
      await clock.sleep(LOOK_AGAIN_MS, either);
    } catch (error) {
      if (!either.aborted) throw error;
    }
  };

  return {
    async next(signal) {
      while (!signal.aborted) {
        if (page.length === 0) {
          // Whoever finds it empty reads for all.
          reading ??= read().finally(() => (reading = undefined));
          await reading;
        }
        const segment = page.shift();
        if (segment !== undefined) {
          underWay.add(segment.id);
          return segment;
        }
        if (underWay.size === 0) return undefined;
        waiting ??= wait(signal).finally(() => (waiting = undefined));
        await waiting;
      }
      return undefined;
    },
    done(id, waitMs) {
      underWay.delete(id);
      somebodyDone.abort();
      somebodyDone = new AbortController();
      if (waitMs > 0) waitUntil.set(id, clock.uptimeMs() + waitMs);
    },
    recall(ids) {
      for (const id of ids) waitUntil.delete(id);
    },
  };
}
