import { join } from "node:path";
import type { DeviceId, NodeId } from "#base/ids";
import type { Clock } from "#base/time";
import { manifestText } from "../../storage/spool/manifest.ts";
import { arrived, writeFact } from "../hand-over-fact.ts";
import type { Untold } from "./mark.ts";

/**
 * Hands gaps of `node` over in `incoming`, each as a fact of its own. Under its own id: once more is the same.
 * @throws BewaardError SPOOL_FULL, SPOOL_IO (transient).
 */
export function gapTeller(
  clock: Clock,
  node: NodeId,
  incoming: string,
): (device: DeviceId, gap: Untold) => Promise<void> {
  return async (device, { id, startedAt, endedAt, cause }) => {
    const text = manifestText({
      bewaard: "manifest/1",
      kind: "gap",
      id,
      node,
      producer: "record",
      device,
      ...arrived(clock),
      startedAt,
      endedAt,
      cause,
    });
    await writeFact(join(incoming, `${id}.json`), text);
  };
}
