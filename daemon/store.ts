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
/** What failed waits this long, so that one bad segment does not hold up the others. */
const RETRY_AFTER_MS = MINUTE_MS;
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
  for await (const now of every(clock, STORE_EVERY_MS, signal)) {
    await turn(() =>
      storeQueue(clock, events, database, spool, vault, node, waitUntil, now, signal),
    );
  }
}

async function storeQueue(
  clock: Clock,
  events: Events,
  database: Database,
  spool: Spool,
  vault: Vault,
  node: NodeId,
  waitUntil: Map<SegmentId, number>,
  now: Instant,
  signal: AbortSignal,
): Promise<void> {
  const queue = await segmentsToStore(database, plus(now, LAST_CALL_MS), AT_ONCE + waitUntil.size);
  for (const segment of queue) {
    if (signal.aborted) break;
    if ((waitUntil.get(segment.id) ?? 0) > clock.uptimeMs()) continue;
    waitUntil.delete(segment.id);
    const waitMs = await storeOne(clock, events, database, spool, vault, node, segment, signal);
    if (waitMs > 0) waitUntil.set(segment.id, clock.uptimeMs() + waitMs);
  }
  const stored = await closeSweep(database, "stored", clock.now());
  if (stored > 0) step("store.batch-closed");
}

/** How long it has to wait before it is tried again; 0 when it is stored. Throws only for bugs. */
async function storeOne(
  clock: Clock,
  events: Events,
  database: Database,
  spool: Spool,
  vault: Vault,
  node: NodeId,
  segment: Segment & { readonly held: boolean },
  signal: AbortSignal,
): Promise<number> {
  if (!(await intendStore(database, segment.id, clock.now()))) return 0;
  step("store.intended");
  try {
    const key = footageKey(node, segment.device, segment.startedAt, segment.id);
    const path = segmentPath(spool, segment.id, segment.arrivedAt);
    const body = fileBody(path, segment.ciphertextBytes, segment.parts);
    const version = await vault.put(key, body, factsOf(segment), segment.held, signal);
    step("store.put");
    await recordStored(database, segment.id, version, clock.now());
    step("store.recorded");
    events.stored(segment.id);
    return 0;
  } catch (error) {
    await recordStoreFailed(database, segment.id, clock.now());
    if (signal.aborted) return RETRY_AFTER_MS;
    if (!(error instanceof BewaardError)) throw error;
    if (error.transient) events.storeDelayed(segment.id, error);
    else events.unsafe(segment.id, error);
    return error.transient ? RETRY_AFTER_MS : HOUR_MS;
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
  };
}
