import { BewaardError } from "#base/errors";
import { type Clock, SECOND_MS } from "#base/time";
import type { CardRecord } from "../../drivers/bodycam/card-record.ts";
import { sleepOrHint } from "../../drivers/bodycam/look-again.ts";
import type { DockCore, Pairing } from "./dock-core.ts";
import { recordKey } from "./same-card.ts";

/** What core last said of who is paired, and the cards for which it was asked. */
interface KnownPairings {
  readonly known: readonly Pairing[];
  /** A card that came since is not here: nobody knows yet whose it is. */
  readonly of: readonly CardRecord[];
}

/** @throws BewaardError CONTROL_… (transient) where core has not said anything yet. */
export type PairingsOf = (
  records: readonly CardRecord[],
  signal: AbortSignal,
) => Promise<KnownPairings>;

/** Pairings are asked for at once when a card came, and this often while one is in. */
const ASK_EVERY_MS = 10 * SECOND_MS;
/** Core that is away, or takes its time, keeps nobody from seeing that a camera is gone. */
const PATIENCE_MS = 2 * SECOND_MS;

export function openPairings(clock: Clock, core: Pick<DockCore, "pairings">): PairingsOf {
  let known: readonly Pairing[] | undefined;
  let failed: { readonly error: unknown } | undefined;
  let asking: Promise<void> | undefined;
  let askedFor: ReadonlySet<string> = new Set();
  let askedAtMs = 0;

  async function ask(keys: ReadonlySet<string>): Promise<void> {
    try {
      known = await core.pairings();
      askedFor = keys;
      failed = undefined;
    } catch (error) {
      failed = { error };
    } finally {
      asking = undefined;
    }
  }

  return async (records, signal) => {
    const keys = new Set(records.map(recordKey));
    const isOld = clock.uptimeMs() - askedAtMs >= ASK_EVERY_MS;
    if (keys.size > 0 && asking === undefined && (isOld || !keys.isSubsetOf(askedFor))) {
      askedAtMs = clock.uptimeMs();
      asking = ask(keys);
    }
    if (asking !== undefined) await sleepOrHint(clock, PATIENCE_MS, asking, signal);
    if (failed && !(failed.error instanceof BewaardError)) throw failed.error;
    if (known !== undefined || keys.size === 0)
      return { known: known ?? [], of: records.filter((one) => askedFor.has(recordKey(one))) };
    if (failed) throw failed.error;
    throw new BewaardError("CONTROL_UNREACHABLE", "core takes its time", { transient: true });
  };
}
