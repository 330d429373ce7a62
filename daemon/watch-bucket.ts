import { dirname } from "node:path/posix";
import { BewaardError } from "#base/errors";
import type { NodeId } from "#base/ids";
import { step } from "#base/step";
import { type Clock, HOUR_MS, type Instant } from "#base/time";
import { type LookedAgain, recordDestroyed } from "../storage/catalog/due.ts";
import type { Segment } from "../storage/catalog/segment-row.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { watchedSegments } from "../storage/catalog/watched.ts";
import { footageKey } from "../storage/vault/keys.ts";
import type { Vault } from "../storage/vault/vault.ts";
import { isGone } from "./destroy.ts";
import type { Events } from "./events.ts";

const AT_ONCE = 1000;

/**
 * Looks what a locked bucket has destroyed by its own rule, and records that. A folder at a time, for a
 * bucket lists a thousand keys at the price of one; only what is no longer listed is looked at by itself.
 * `pageDone` closes the batch of what was recorded: after weeks without the bucket not one batch of it all.
 */
export async function watchBucket(
  clock: Clock,
  events: Events,
  database: Database,
  vault: Vault,
  node: NodeId,
  sayNow: (what: string) => boolean,
  pageDone: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let after: Segment | undefined;
  for (;;) {
    const watched = await watchedSegments(database, after, AT_ONCE);
    for (const [folder, segments] of Map.groupBy(watched, (one) => folderOf(node, one))) {
      try {
        const gone = await goneFrom(vault, node, folder, segments, clock.now(), signal);
        if (gone.length > 0) await recordDestroyed(database, clock.now(), gone);
        if (gone.length > 0) step("destroy.recorded");
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof BewaardError && error.code.startsWith("VAULT_"))) throw error;
        if (sayNow(folder) && segments[0]) events.destroyDelayed(segments[0].id, error);
      }
    }
    await pageDone();
    after = watched.at(-1);
    if (watched.length < AT_ONCE || signal.aborted) return;
  }
}

async function goneFrom(
  vault: Vault,
  node: NodeId,
  folder: string,
  segments: readonly Segment[],
  now: Instant,
  signal: AbortSignal,
): Promise<readonly LookedAgain[]> {
  const there = new Set<string>();
  for await (const { key } of vault.list(folder, signal)) there.add(key);
  const gone: LookedAgain[] = [];
  for (const one of segments) {
    const key = keyOf(node, one);
    if (there.has(key)) continue;
    const traces = await vault.traces(key);
    // A marker holds no footage: one that the bucket is slow to tidy away is no reason to call it late. Looked
    // for once an hour, it is known before it is due.
    const footageGone = traces.versions + traces.unfinished === 0;
    if (!isGone(traces) && !(footageGone && now >= one.dueAt - HOUR_MS)) continue;
    gone.push({ id: one.id, versions: 0, missing: false, by: "bucket", markers: traces.markers });
  }
  return gone;
}

function keyOf(node: NodeId, { device, startedAt, id }: Segment): string {
  return footageKey(node, device, startedAt, id);
}

function folderOf(node: NodeId, segment: Segment): string {
  return `${dirname(keyOf(node, segment))}/`;
}
