import { lstat } from "node:fs/promises";
import { BewaardError, systemCode } from "#base/errors";
import type { Clock } from "#base/time";
import type { Order, WipeOrder } from "../orders/order.ts";
import type { KeptFile } from "../orders/report.ts";
import { whyNotThisCard } from "./admit.ts";
import type { Ending } from "./carry-out.ts";
import { countFiles } from "./count-files.ts";
import { lookAgain } from "./look-again.ts";
import type { Mounts } from "./mounts.ts";
import { openDocked } from "./open-docked.ts";
import type { HelperPlaces } from "./places.ts";
import { readRecord } from "./record.ts";
import { below, descend, type SafeFolder } from "./safe-folder.ts";
import type { EarlierStart } from "./used.ts";
import { succeeds } from "./while-writable.ts";
import { NOTHING, type Outcome } from "./wipe.ts";
import { pathNames } from "./wipe-file.ts";

/**
 * What became of an order whose earlier start was cut off. The card becomes read-only again and is looked at;
 * nothing else is done to it: what is left of the work is for a new order.
 */
export async function afterInterruption(
  clock: Clock,
  mounts: Mounts,
  places: HelperPlaces,
  order: Order,
  earlier: EarlierStart,
): Promise<Ending> {
  const record = await readRecord(places.cards, order.name);
  const why = whyNotThisCard(clock, order, record) ?? (await lookAgain(mounts, places, order));
  const interrupted = { outcome: "failed", why: "interrupted" } as const;
  const unseen = { ...NOTHING, kept: unreadable(order), ...interrupted };
  if (why !== undefined) return unseen;
  const at = record?.mountedAt ?? "";
  if (!(await succeeds(mounts.remount(at, "ro")))) return { ...unseen, why: "not-read-only" };
  await using card = await openDocked(mounts, order, at);
  if (card === undefined) return unseen;
  const seen =
    order.verb === "wipe"
      ? await lookedAt(card, order, earlier)
      : { ...NOTHING, left: await countFiles(card) };
  // Of a card that was pulled out while we looked every name may look gone.
  const isHere = (await lookAgain(mounts, places, order)) === undefined;
  return isHere ? { ...seen, ...interrupted } : unseen;
}

/** Of what had matched and was being removed, what is gone; everything else is kept. */
async function lookedAt(
  card: SafeFolder,
  order: WipeOrder,
  { noted }: EarlierStart,
): Promise<Outcome> {
  const removed: number[] = [];
  const kept: KeptFile[] = [];
  for (const [index, { path }] of order.files.entries()) {
    const isGone = await isNotThere(card, path);
    if (isGone && noted.includes(index)) removed.push(index);
    else kept.push({ index, why: isGone ? "gone" : "not-removed" });
  }
  return { removed, kept, left: await countFiles(card) };
}

async function isNotThere(card: SafeFolder, path: string): Promise<boolean> {
  const names = pathNames(path);
  try {
    await using folder = await descend(card, names.slice(0, -1));
    await lstat(below(folder, names.at(-1) ?? Buffer.alloc(0)));
    return false;
  } catch (error) {
    if (error instanceof BewaardError) return false;
    if (systemCode(error) === undefined) throw error;
    return systemCode(error) === "ENOENT";
  }
}

function unreadable(order: Order): readonly KeptFile[] {
  if (order.verb !== "wipe") return [];
  return order.files.map((_, index) => ({ index, why: "unreadable" as const }));
}
