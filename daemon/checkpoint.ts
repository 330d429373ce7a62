import { BewaardError } from "#base/errors";
import type { NodeId } from "#base/ids";
import { step } from "#base/step";
import { type Clock, every, type Instant, MINUTE_MS } from "#base/time";
import type { Database } from "../storage/catalog/sqlite.ts";
import {
  entryBodies,
  recordPublished,
  signCheckpoint,
  unpublishedCheckpoints,
} from "../storage/ledger/checkpoint.ts";
import type { NodeKey } from "../storage/ledger/note.ts";
import { textBody } from "../storage/vault/body.ts";
import { checkpointKey, entriesKey } from "../storage/vault/keys.ts";
import { FREELY, type Vault } from "../storage/vault/vault.ts";
import type { Events } from "./events.ts";
import type { AskHistory } from "./one-history.ts";
import { publishRows } from "./publish-rows.ts";
import { steady } from "./steady.ts";

const LOOK_EVERY_MS = MINUTE_MS;
/** At least hourly, says invariant 5; a desk can open only what is under a signed head. */
const SIGN_EVERY_MS = 15 * MINUTE_MS;
/** So many go into one object, a few megabytes: after weeks without the vault there are millions. */
const ENTRIES_AT_ONCE = 8192;

/**
 * Signs the ledger and publishes it in the vault and the journal, until the signal aborts. Nothing is signed
 * until the vault was read and agrees: two signed heads of one size would be a fork that nobody can repair.
 */
export async function checkpoint(
  clock: Clock,
  events: Events,
  database: Database,
  vault: Vault,
  node: NodeId,
  key: NodeKey,
  askHistory: AskHistory,
  signal: AbortSignal,
): Promise<void> {
  // At start what a crash left unsigned is signed at once.
  let last: Instant | undefined;
  const turn = steady(clock, events, "checkpoint");
  for await (const now of every(clock, LOOK_EVERY_MS, signal)) {
    await turn(async () => {
      if ((await askHistory(signal)) !== "one") return;
      // A clock that was set back must not stop the signing.
      const age = last === undefined ? Number.POSITIVE_INFINITY : Math.abs(now - last);
      if (age >= SIGN_EVERY_MS && (await signCheckpoint(database, now, key))) {
        last = now;
        step("checkpoint.signed");
      }
      await published(clock, events, database, vault, node, signal);
    });
  }
}

async function published(
  clock: Clock,
  events: Events,
  database: Database,
  vault: Vault,
  node: NodeId,
  signal: AbortSignal,
): Promise<void> {
  try {
    await publish(clock, events, database, vault, node, signal);
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof BewaardError)) throw error;
    events.checkpointDelayed(error);
  }
}

/**
 * Puts every checkpoint the vault does not have, its rows and entries before it. What was cut off is put again
 * under the same keys with the same bytes, which is no conflict.
 */
async function publish(
  clock: Clock,
  events: Events,
  database: Database,
  vault: Vault,
  node: NodeId,
  signal: AbortSignal,
): Promise<void> {
  for (const { size, note, after } of await unpublishedCheckpoints(database)) {
    for (let from = after; from < size; from += ENTRIES_AT_ONCE) {
      const to = Math.min(from + ENTRIES_AT_ONCE, size);
      const entries = await entryBodies(database, from, to);
      const lines = entries.map((body) => `${body}\n`).join("");
      await vault.put(entriesKey(node, from, to), textBody(lines), FREELY, signal);
      step("checkpoint.entries-put");
    }
    // After the entries: rows whose entry nobody else has would speak of another one one day.
    await publishRows(database, vault, node, size, signal);
    await vault.put(checkpointKey(node, size), textBody(note), FREELY, signal);
    step("checkpoint.put");
    await recordPublished(database, size, clock.now());
    step("checkpoint.published");
    events.checkpoint(size, note);
  }
}
