import { atMostEvery } from "#base/at-most-every";
import { BewaardError } from "#base/errors";
import type { NodeId } from "#base/ids";
import { type Clock, DAY_MS, HOUR_MS } from "#base/time";
import type { Database } from "../storage/catalog/sqlite.ts";
import { checkPublished } from "../storage/check-published.ts";
import type { VerifierKey } from "../storage/ledger/note.ts";
import type { Vault } from "../storage/vault/vault.ts";
import type { Events } from "./events.ts";

/**
 * Whether the ledger here goes on from what has left this box. `diverged`: a catalog that was set back, or a
 * checkpoint of somebody else; nothing is destroyed or signed then. `unknown`: the vault was not read since the start.
 */
type History = "one" | "diverged" | "unknown";

/** Finds out, until it is known; then what was found stands until the next start. */
export type AskHistory = (signal: AbortSignal) => Promise<History>;

/**
 * Makes the function by which the loops learn whether this box's history is still one. It lists the vault's
 * checkpoints once; what has diverged is an alarm at once and daily.
 */
export function historyOf(
  clock: Clock,
  events: Events,
  database: Database,
  vault: Vault,
  node: NodeId,
  verifier: VerifierKey,
): AskHistory {
  const daily = atMostEvery(clock, DAY_MS);
  const hourly = atMostEvery(clock, HOUR_MS);
  let known: { readonly diverged: string | undefined } | undefined;
  let asking: Promise<typeof known> | undefined;

  async function ask(signal: AbortSignal): Promise<typeof known> {
    try {
      return await checkPublished(database, vault, node, verifier, signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(error instanceof BewaardError)) throw error;
      if (hourly(error.code)) events.checkpointDelayed(error);
      return undefined;
    }
  }

  return async (signal) => {
    if (known === undefined) {
      // Two loops ask at the start: one listing does for both.
      asking ??= ask(signal).finally(() => {
        asking = undefined;
      });
      known = await asking;
    }
    if (known === undefined) return "unknown";
    if (known.diverged === undefined) return "one";
    if (daily(known.diverged))
      events.ledgerDiverged(new BewaardError("LEDGER_DIVERGED", known.diverged));
    return "diverged";
  };
}
