import { openBackOff } from "#base/back-off";
import type { NodeId } from "#base/ids";
import { type Clock, every, MINUTE_MS, SECOND_MS } from "#base/time";
import { recordNothingWriting } from "../storage/catalog/copies.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import type { Spool } from "../storage/spool/spool.ts";
import type { ReadBack } from "../storage/vault/read-back.ts";
import type { Vault } from "../storage/vault/vault.ts";
import { openBandwidth, type RateAt } from "./bandwidth.ts";
import type { Events } from "./events.ts";
import { steady } from "./steady.ts";
import { storing } from "./store-one.ts";
import { drainer } from "./store-queue.ts";

const STORE_EVERY_MS = 5 * SECOND_MS;
/** While the vault does not answer it is asked this often, less and less. */
const AWAY_FIRST_MS = MINUTE_MS;
const AWAY_MOST_MS = 15 * MINUTE_MS;

/** How this box uploads. */
export interface Upload {
  /** So many segments at a time, at least 1. */
  readonly parallel: number;
  readonly bytesPerSecondAt: RateAt;
  readonly readBack: ReadBack;
}

/** Copies sealed footage to the vault, oldest first, until the signal aborts (procedure "Store"). */
export async function store(
  clock: Clock,
  events: Events,
  database: Database,
  spool: Spool,
  vault: Vault,
  node: NodeId,
  { parallel, bytesPerSecondAt, readBack }: Upload,
  signal: AbortSignal,
): Promise<void> {
  const turn = steady(clock, events, "store");
  const backOff = openBackOff(AWAY_FIRST_MS, AWAY_MOST_MS, Math.random);
  const bandwidth = openBandwidth(clock, bytesPerSecondAt);
  const one = storing(clock, events, database, spool, vault, node, bandwidth, readBack);
  const drain = drainer(clock, database, vault.level, one, parallel);
  let askAgainAtMs = 0;
  let before: "start" | "whole" | "cut off" = "start";
  for await (const _ of every(clock, STORE_EVERY_MS, signal)) {
    if (clock.uptimeMs() < askAgainAtMs) continue;
    await turn(async () => {
      // The catalog could not be told how the last write ended: nothing is being written now.
      if (before === "cut off") await recordNothingWriting(database, clock.now());
      const mayBeOpen = before !== "whole";
      before = "cut off";
      const seen = await drain(mayBeOpen, signal);
      before = "whole";
      if (seen === "answers") backOff.reset();
      if (seen !== "away") return;
      const waitMs = backOff.next();
      askAgainAtMs = clock.uptimeMs() + waitMs;
      events.storePaused(waitMs);
    });
  }
}
