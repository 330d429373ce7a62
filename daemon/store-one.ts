import { BewaardError } from "#base/errors";
import type { NodeId } from "#base/ids";
import { step } from "#base/step";
import { type Clock, type Instant, isoOf } from "#base/time";
import {
  intendStore,
  recordStored,
  recordStoreFailed,
  type ToStore,
} from "../storage/catalog/copies.ts";
import type { Segment } from "../storage/catalog/segment-row.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { type Spool, segmentPath } from "../storage/spool/spool.ts";
import { fileBody } from "../storage/vault/body.ts";
import { footageKey } from "../storage/vault/keys.ts";
import { type ReadBack, readBack } from "../storage/vault/read-back.ts";
import type { ObjectFacts, Vault } from "../storage/vault/vault.ts";
import { type Bandwidth, limited } from "./bandwidth.ts";
import type { Events } from "./events.ts";
import { lockedUntil } from "./lock.ts";

/** How a write ended. `unanswered`: it may be the vault, and another time succeed; `refused`: look at this segment. */
export type Outcome = "stored" | "unwanted" | "unanswered" | "refused";

/** Stores one segment; what is foreseen to fail is said and returned. */
export type StoreOne = (segment: ToStore, signal: AbortSignal) => Promise<Outcome>;

/**
 * Makes the function that stores one segment: puts it, reads it back, and only then records that the vault
 * has it (invariant 1). That function throws for bugs, and when the catalog cannot take what happened.
 */
export function storing(
  clock: Clock,
  events: Events,
  database: Database,
  spool: Spool,
  vault: Vault,
  node: NodeId,
  bandwidth: Bandwidth,
  how: ReadBack,
): StoreOne {
  return async (listed, signal) => {
    const intended = await intendStore(database, listed.id, clock.now());
    if (intended === undefined) return "unwanted";
    // Released since it was listed: a hold that were set now would be seen as lifted already.
    const segment = { ...listed, ...intended };
    step("store.intended");
    try {
      const until = vault.level === "locked" ? lockedUntil(segment, clock.now()) : undefined;
      const version = await putWhole(spool, vault, node, bandwidth, how, segment, until, signal);
      await recordStored(database, segment.id, version, until, clock.now());
      step("store.recorded");
      events.stored(segment.id);
      return "stored";
    } catch (error) {
      await recordStoreFailed(database, segment.id, clock.now());
      if (signal.aborted) return "unwanted";
      if (!(error instanceof BewaardError)) throw error;
      if (error.transient) events.storeDelayed(segment.id, error);
      else events.unsafe(segment.id, error);
      // A credential that was taken back is refused for each alike: the queue finds out whether it is this one.
      return error.transient || error.code === "VAULT_DENIED" ? "unanswered" : "refused";
    }
  };
}

async function putWhole(
  spool: Spool,
  vault: Vault,
  node: NodeId,
  bandwidth: Bandwidth,
  how: ReadBack,
  segment: ToStore,
  until: Instant | undefined,
  signal: AbortSignal,
): Promise<string> {
  const key = footageKey(node, segment.device, segment.startedAt, segment.id);
  const path = segmentPath(spool, segment.id, segment.arrivedAt);
  const body = fileBody(path, segment.ciphertextBytes, segment.parts);
  const keeping = { facts: factsOf(segment), held: segment.held, lockedUntil: until };
  const version = await vault.put(key, limited(body, bandwidth, signal), keeping, signal);
  step("store.put");
  await readBack(vault, key, version, body, how, signal);
  step("store.read-back");
  return version;
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
