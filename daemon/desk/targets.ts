import type { NodeId, SegmentId } from "#base/ids";
import { footagePrefix, segmentOf } from "../../storage/vault/keys.ts";
import type { ObjectVersion, Vault } from "../../storage/vault/vault.ts";

/** A segment and the box that keeps it. */
export interface Target {
  readonly node: NodeId;
  readonly id: SegmentId;
}

/** Every version the vault has of these segments. */
export async function* versionsOf(
  vault: Vault,
  targets: readonly Target[],
  signal: AbortSignal,
): AsyncGenerator<ObjectVersion, void, undefined> {
  for (const node of new Set(targets.map((one) => one.node))) {
    const wanted = new Set(targets.filter((one) => one.node === node).map(({ id }) => id));
    for await (const version of vault.list(footagePrefix(node), signal)) {
      const id = segmentOf(version.key);
      if (id !== undefined && wanted.has(id)) yield version;
    }
  }
}
