import { openBackOff } from "#base/back-off";
import { BewaardError } from "#base/errors";
import type { NodeId, SegmentId } from "#base/ids";
import { step } from "#base/step";
import {
  type Clock,
  every,
  HOUR_MS,
  type Instant,
  isoOf,
  MINUTE_MS,
  plus,
  SECOND_MS,
} from "#base/time";
import { closeSweep } from "../storage/catalog/batches.ts";
import {
  intendStore,
  recordNothingWriting,
  recordStored,
  recordStoreFailed,
  segmentsToStore,
} from "../storage/catalog/copies.ts";
import type { Segment } from "../storage/catalog/segments.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { type Spool, segmentPath } from "../storage/spool/spool.ts";
import { fileBody } from "../storage/vault/body.ts";
import { footageKey } from "../storage/vault/keys.ts";
import type { ObjectFacts, Vault } from "../storage/vault/vault.ts";
import type { Events } from "./events.ts";
import { steady } from "./steady.ts";

const STORE_EVERY_MS = 5 * SECOND_MS;
const AT_ONCE = 200;
/** What failed by itself waits this long, so that one bad segment does not hold up the others. */
const RETRY_AFTER_MS = HOUR_MS;
/** While the vault does not answer it is asked this often, less and less. */
const AWAY_FIRST_MS = MINUTE_MS;
const AWAY_MOST_MS = 15 * MINUTE_MS;
/** One segment may have bad luck; when this many fail in a row it is the vault. */
const AWAY_AFTER = 2;
/** What is due within this time is not worth a write that would be undone. */
const LAST_CALL_MS = HOUR_MS;

/** Copies sealed footage to the vault, oldest first, until the signal aborts (procedure "Store"). */
export async function store(
  clock: Clock,
  events: Events,
  database: Database,
  spool: Spool,
  vault: Vault,
  node: NodeId,
  signal: AbortSignal,
): Promise<void> {
  const waitUntil = new Map<SegmentId, number>();
  const turn = steady(clock, events, "store");
  const backOff = openBackOff(AWAY_FIRST_MS, AWAY_MOST_MS, Math.random);
  let askAgainAtMs = 0;
  let before: "start" | "whole" | "cut off" = "start";
  for await (const now of every(clock, STORE_EVERY_MS, signal)) {
    if (clock.uptimeMs() < askAgainAtMs) continue;
    await turn(async () => {
      // The catalog could not be told how the last write ended: nothing is being written now.
      if (before === "cut off") await recordNothingWriting(database, clock.now());
      const mayBeOpen = before !== "whole";
      before = "cut off";
      const seen = await storeQueue(
        clock,
        events,
        database,
        spool,
        vault,
        node,
        waitUntil,
        mayBeOpen,
        now,
        signal,
      );
      before = "whole";
      if (seen === "answers") backOff.reset();
      if (seen !== "away") return;
      const waitMs = backOff.next();
      askAgainAtMs = clock.uptimeMs() + waitMs;
      events.storePaused(waitMs);
    });
  }
}

/** What the queue learned of the vault: whether it answers, or that there was nothing to ask. */
type VaultSeen = "answers" | "away" | "not asked";

/** Stores what waits. `mayBeOpen`: a sweep that was cut off may have left its batch open. */
async function storeQueue(
  clock: Clock,
  events: Events,
  database: Database,
  spool: Spool,
  vault: Vault,
  node: NodeId,
  waitUntil: Map<SegmentId, number>,
  mayBeOpen: boolean,
  now: Instant,
  signal: AbortSignal,
): Promise<VaultSeen> {
  const queue = await segmentsToStore(database, plus(now, LAST_CALL_MS), AT_ONCE + waitUntil.size);
  if (queue.length === 0 && !mayBeOpen) return "not asked";
  let seen: VaultSeen = "not asked";
  const unanswered: SegmentId[] = [];
  for (const segment of queue) {
    if (signal.aborted) break;
    if ((waitUntil.get(segment.id) ?? 0) > clock.uptimeMs()) continue;
    waitUntil.delete(segment.id);
    const outcome = await storeOne(clock, events, database, spool, vault, node, segment, signal);
    if (outcome === "stored") {
      seen = "answers";
      unanswered.length = 0;
      continue;
    }
    if (outcome === "refused") waitUntil.set(segment.id, clock.uptimeMs() + RETRY_AFTER_MS);
    if (outcome !== "unanswered") continue;
    waitUntil.set(segment.id, clock.uptimeMs() + AWAY_FIRST_MS);
    unanswered.push(segment.id);
    if (unanswered.length === AWAY_AFTER) break;
  }
  const stored = await closeSweep(database, "stored", clock.now());
  if (stored > 0) step("store.batch-closed");
  if (unanswered.length < AWAY_AFTER && (unanswered.length === 0 || seen === "answers"))
    return seen;
  // It is the vault, not they: the oldest is the first to be tried when it is asked again.
  for (const id of unanswered) waitUntil.delete(id);
  return "away";
}

/** How a write ended. `unanswered`: another time it may succeed; `refused`: look at this segment. */
type Outcome = "stored" | "unwanted" | "unanswered" | "refused";

/** Throws for bugs, and when the catalog cannot take what happened. */
async function storeOne(
  clock: Clock,
  events: Events,
  database: Database,
  spool: Spool,
  vault: Vault,
  node: NodeId,
  segment: Segment & { readonly held: boolean },
  signal: AbortSignal,
): Promise<Outcome> {
  if (!(await intendStore(database, segment.id, clock.now()))) return "unwanted";
  step("store.intended");
  try {
    const key = footageKey(node, segment.device, segment.startedAt, segment.id);
    const path = segmentPath(spool, segment.id, segment.arrivedAt);
    const body = fileBody(path, segment.ciphertextBytes, segment.parts);
    const keeping = { facts: factsOf(segment), held: segment.held, lockedUntil: undefined };
    const version = await vault.put(key, body, keeping, signal);
    step("store.put");
    await recordStored(database, segment.id, version, clock.now());
    step("store.recorded");
    events.stored(segment.id);
    return "stored";
  } catch (error) {
    await recordStoreFailed(database, segment.id, clock.now());
    if (signal.aborted) return "unwanted";
    if (!(error instanceof BewaardError)) throw error;
    if (error.transient) events.storeDelayed(segment.id, error);
    else events.unsafe(segment.id, error);
    return error.transient ? "unanswered" : "refused";
  }
}

/** Metadata of an object: about the file, never about a person. */
function factsOf(segment: Segment): ObjectFacts {
  return {
    id: segment.id,
    device: segment.device,
    started: isoOf(segment.startedAt),
    ended: segment.endedAt === undefined ? "" : isoOf(segment.endedAt),
    "plaintext-sha256": segment.plaintextSha256 ?? "",
    "sealed-for": segment.sealedFor,
    // What the ledger says as well: a segment that no published head knows is known by these alone.
    arrived: isoOf(segment.arrivedAt),
    due: isoOf(segment.dueAt),
    "plaintext-bytes": segment.plaintextBytes === undefined ? "" : String(segment.plaintextBytes),
    producer: segment.producer,
    "time-trust": segment.timeTrust,
  };
}
