import { createHash } from "node:crypto";
import { deadline } from "#base/deadline";
import { BewaardError } from "#base/errors";
import type { NodeId } from "#base/ids";
import { step } from "#base/step";
import { type Clock, DAY_MS, every, HOUR_MS, type Instant, isoOf, MINUTE_MS } from "#base/time";
import type { Database } from "../storage/catalog/sqlite.ts";
import {
  checkpointToStamp,
  recordTimestamp,
  recordTimestampPublished,
  unpublishedTimestamps,
} from "../storage/ledger/timestamps.ts";
import { bytesBody } from "../storage/vault/body.ts";
import { timestampKey } from "../storage/vault/keys.ts";
import { FREELY, type Vault } from "../storage/vault/vault.ts";
import type { Events } from "./events.ts";
import type { AskHistory } from "./one-history.ts";
import { checkTimestamp, timestampQuery } from "./openssl-timestamp.ts";
import { steady } from "./steady.ts";

/** Who is asked for timestamps (RFC 3161), in the EEA by what the site declares (invariant 11). */
export interface Authority {
  readonly url: string;
  /** PEM file with the root its certificate leads to; undefined: the system's own list. */
  readonly authority: string | undefined;
  /** How long its whole reply may take. */
  readonly patienceMs: number;
}

const RETRY_AFTER_MS = HOUR_MS;
/** A reply with a chain of certificates is a few kilobytes. */
const REPLY_LIMIT_BYTES = 64 * 1024;

/**
 * Asks once a day for a timestamp over the newest published checkpoint, where configured, until the signal
 * aborts. What fails is said and tried again after an hour; nothing waits for it.
 */
export async function timestamp(
  clock: Clock,
  events: Events,
  database: Database,
  vault: Vault,
  node: NodeId,
  authority: Authority | undefined,
  askHistory: AskHistory,
  signal: AbortSignal,
): Promise<void> {
  if (authority === undefined) return;
  let waitUntilMs = 0;
  const turn = steady(clock, events, "timestamp");
  for await (const now of every(clock, MINUTE_MS, signal)) {
    await turn(async () => {
      if (clock.uptimeMs() < waitUntilMs || (await askHistory(signal)) !== "one") return;
      try {
        await stamp(events, database, authority, now, signal);
        await publish(clock, database, vault, node, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof BewaardError)) throw error;
        waitUntilMs = clock.uptimeMs() + RETRY_AFTER_MS;
        events.timestampDelayed(error);
      }
    });
  }
}

async function stamp(
  events: Events,
  database: Database,
  authority: Authority,
  now: Instant,
  signal: AbortSignal,
): Promise<void> {
  const checkpoint = await checkpointToStamp(database);
  if (checkpoint === undefined) return;
  const { size, note, lastAskedAt } = checkpoint;
  // A clock that was set back must not stop the asking.
  if (lastAskedAt !== undefined && Math.abs(now - lastAskedAt) < DAY_MS) return;
  const query = await timestampQuery(sha256(note), signal);
  const reply = await replyOf(authority, query, signal);
  const toldAt = await checkTimestamp({ query }, reply, authority.authority, signal);
  await recordTimestamp(database, now, { size, toldAt, reply }, sha256(reply));
  step("timestamp.recorded");
  events.timestamped(size, isoOf(toldAt));
}

async function publish(
  clock: Clock,
  database: Database,
  vault: Vault,
  node: NodeId,
  signal: AbortSignal,
): Promise<void> {
  for (const { size, reply } of await unpublishedTimestamps(database)) {
    await vault.put(timestampKey(node, size), bytesBody(reply), FREELY, signal);
    step("timestamp.put");
    await recordTimestampPublished(database, size, clock.now());
  }
}

/** Sends the query and reads what comes back, never more than a reply can be, never from elsewhere. */
async function replyOf(
  { url, patienceMs }: Authority,
  query: Buffer,
  signal: AbortSignal,
): Promise<Buffer> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/timestamp-query" },
      body: new Uint8Array(query),
      redirect: "manual",
      signal: deadline(patienceMs, signal),
    });
    if (response.status !== 200) throw unavailable(`answers with status ${response.status}`);
    return await bounded(response.body ?? []);
  } catch (cause) {
    if (signal.aborted || cause instanceof BewaardError) throw cause;
    throw unavailable("cannot be reached, or does not answer in time", cause);
  }
}

async function bounded(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Buffer> {
  const read: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > REPLY_LIMIT_BYTES) throw unavailable("answers with more than a reply can be");
    read.push(chunk);
  }
  return Buffer.concat(read);
}

function unavailable(why: string, cause?: unknown): BewaardError {
  const message = `the timestamp authority ${why}`;
  return new BewaardError("TIMESTAMP_UNAVAILABLE", message, { transient: true, cause });
}

function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
