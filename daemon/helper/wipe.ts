import type { WipeOrder } from "../orders/order.ts";
import type { KeptFile } from "../orders/report.ts";
import { countFiles } from "./count-files.ts";
import { isMtp } from "./look.ts";
import type { Mounts } from "./mounts.ts";
import type { SafeFolder } from "./safe-folder.ts";
import type { UsedOrder } from "./used.ts";
import { wipeFile } from "./wipe-file.ts";

/** What came of a card; part of the report. */
export interface Outcome {
  readonly removed: readonly number[];
  readonly kept: readonly KeptFile[];
  readonly left: number | null;
}

export const NOTHING: Outcome = { removed: [], kept: [], left: null };

/** Removes from a writable card what is still as it was ordered, in the order of the list. */
export async function wipe(
  mounts: Mounts,
  order: WipeOrder,
  card: SafeFolder,
  used: UsedOrder,
): Promise<Outcome> {
  const removed: number[] = [];
  const kept: KeptFile[] = [];
  for (const [index, file] of order.files.entries()) {
    const why = await wipeFile(card, file, {
      how: order.how,
      read: (open) => (isMtp(order.name) ? mounts.fetchAgain(open) : mounts.read(open)),
      note: () => used.note(index),
    });
    if (why === undefined) removed.push(index);
    else kept.push({ index, why });
  }
  return { removed, kept, left: await countFiles(card) };
}

/** The same, of a card that was not certainly written: what was removed may be there again. */
export function unsettled(outcome: Outcome): Outcome {
  const back = outcome.removed.map((index) => ({ index, why: "not-removed" as const }));
  const kept = [...outcome.kept, ...back].toSorted((a, b) => a.index - b.index);
  return { removed: [], kept, left: null };
}
