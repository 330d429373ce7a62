import type { SegmentId } from "#base/ids";
import { type Instant, instant, isoOf } from "#base/time";
import { append } from "../ledger/append.ts";
import { tellEmptied } from "./devices.ts";
import { filesOfWipe, type OpenWipe, openWipe, type WipeFile } from "./open-wipes.ts";
import type { Database, Sql } from "./sqlite.ts";
import { doubt, isDoubtful, settleDoubt } from "./wipe-doubts.ts";

// What came of an order to wipe a card.

/** What the helper says, in the words of daemon/orders/report.ts. */
export interface WipeReport {
  readonly startedAt: Instant;
  readonly endedAt: Instant;
  readonly outcome: "done" | "refused" | "failed";
  readonly why: string | null;
  readonly removed: readonly number[];
  readonly kept: readonly { readonly index: number; readonly why: string }[];
  readonly left: number | null;
}

/** A file that is still on its card, and why. */
interface Kept {
  readonly segment: SegmentId;
  readonly why: string;
  /** No further order will name it: somebody has to look at this card. */
  readonly stuck: boolean;
}

/** What was removed of an order and what was not, and whether the card is empty now. */
export interface Wiped {
  readonly removed: readonly SegmentId[];
  readonly kept: readonly Kept[];
  readonly left: number | null;
  readonly emptied: boolean;
}

/** Whether a report speaks of the files of its order, and of each of them once at most. */
function agreesWithOrder({ removed, kept }: WipeReport, files: number): boolean {
  const told = [...removed, ...kept.map(({ index }) => index)];
  return new Set(told).size === told.length && told.every((index) => index < files);
}

/**
 * Records what the helper reports of `order`: what was removed and what stayed, the entry `card.wiped`, and that the
 * camera is empty where nothing is left, in one transaction. A file whose second read differed is to be read again.
 * Undefined when it was recorded before, or when the report speaks of other files than the order has.
 */
export function recordWiped(
  database: Database,
  at: Instant,
  order: OpenWipe,
  report: WipeReport,
): Promise<Wiped | "known" | "other files"> {
  return database.transaction(async (sql) => {
    const files = await filesOfWipe(sql, order.nonce);
    if (files.length === 0) return "known";
    if (!agreesWithOrder(report, files.length)) return "other files";
    const removed = report.removed.flatMap((index) => files[index] ?? []);
    const kept = report.kept.flatMap(({ index, why }) => {
      const file = files[index];
      return file === undefined ? [] : [{ file, why }];
    });
    const untold = files.filter(
      (file) => !removed.includes(file) && !kept.some((one) => one.file === file),
    );
    const times = { startedAt: isoOf(report.startedAt), endedAt: isoOf(report.endedAt) };
    const { outcome, why, left } = report;
    await tell(sql, at, order, { outcome, why, ...times, removed, kept, untold, left });
    await sql.run(
      "update segment set wiped_at_ms = $at where id in (select value from json_each($ids))",
      {
        $at: at,
        $ids: JSON.stringify(removed.map(({ segment }) => segment)),
      },
    );
    const doubted = new Map<WipeFile, boolean>();
    for (const { file, why: reason } of kept)
      if (isDoubtful(outcome, reason)) doubted.set(file, await doubt(sql, order, file, reason));
    for (const file of removed) await settleDoubt(sql, order, file);
    const emptied = isEmpty(order, report, files.length);
    if (emptied)
      await tellEmptied(sql, at, order.device, emptiedAt(order, report, at), removed.length);
    await settle(sql, at, order, outcome, toldOf({ outcome, why, removed, kept, left }));
    return {
      removed: removed.map(({ segment }) => segment),
      kept: kept.map(({ file, why: reason }) => ({
        segment: file.segment,
        why: reason,
        stuck: doubted.get(file) ?? false,
      })),
      left,
      emptied,
    };
  });
}

/** Forgets an order of which nothing was heard: what became of its files is seen at the next docking. */
export function recordUnreported(database: Database, at: Instant, order: OpenWipe): Promise<void> {
  return database.transaction((sql) => settleUntold(sql, at, order, "unreported", null));
}

/** Settles an order that core did not sign: the helper never sees it. */
export function recordUnsigned(
  database: Database,
  at: Instant,
  nonce: string,
  why: string,
): Promise<void> {
  return database.transaction(async (sql) => {
    const order = await openWipe(sql, nonce);
    if (order !== undefined) await settleUntold(sql, at, order, "refused", why);
  });
}

async function settleUntold(
  sql: Sql,
  at: Instant,
  order: OpenWipe,
  outcome: "unreported" | "refused",
  why: string | null,
): Promise<void> {
  const untold = await filesOfWipe(sql, order.nonce);
  if (untold.length === 0) return;
  const nothing = { why, removed: [], kept: [], left: null };
  await tell(sql, at, order, { outcome, startedAt: null, endedAt: null, ...nothing, untold });
  await settle(sql, at, order, outcome, toldOf({ outcome, ...nothing }));
}

/** Orders that were settled before `before` are nobody's question any more. */
export function forgetWipes(database: Database, before: Instant): Promise<number> {
  return database.transaction((sql) =>
    sql.run("delete from wipe where outcome is not null and settled_at_ms < $before", {
      $before: before,
    }),
  );
}

interface Fate {
  readonly outcome: string;
  readonly why: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly removed: readonly WipeFile[];
  readonly kept: readonly { readonly file: WipeFile; readonly why: string }[];
  /** Nobody said what became of these. */
  readonly untold: readonly WipeFile[];
  readonly left: number | null;
}

/** The ledger's line. It has ids of segments, and no name of a file. */
async function tell(
  sql: Sql,
  at: Instant,
  { device, docking, nonce, how, issuedAt }: OpenWipe,
  fate: Fate,
): Promise<void> {
  const facts = {
    device,
    docking,
    order: nonce,
    how,
    issuedAt: isoOf(issuedAt),
    startedAt: fate.startedAt,
    endedAt: fate.endedAt,
    outcome: fate.outcome,
    why: fate.why,
    removed: fate.removed.map(({ segment }) => segment),
    kept: fate.kept.map(({ file, why }) => ({ segment: file.segment, why })),
    untold: fate.untold.map(({ segment }) => segment),
    left: fate.left,
  };
  await append(sql, at, [{ kind: "card.wiped", facts }]);
}

function toldOf({
  outcome,
  why,
  removed,
  kept,
  left,
}: Pick<Fate, "outcome" | "why" | "removed" | "kept" | "left">) {
  return JSON.stringify({
    outcome,
    why,
    removed: removed.length,
    kept: kept.map(({ file, why: reason }) => ({
      path: file.path.toString("base64"),
      why: reason,
    })),
    left,
  });
}

async function settle(
  sql: Sql,
  at: Instant,
  { nonce }: OpenWipe,
  outcome: string,
  told: string,
): Promise<void> {
  await sql.run(
    "update wipe set outcome = $outcome, told = $told, settled_at_ms = $at where nonce = $nonce",
    { $nonce: nonce, $outcome: outcome, $told: told, $at: at },
  );
  await sql.run("delete from wipe_file where nonce = $nonce", { $nonce: nonce });
}

/** All of the card's footage was in the order, and what is left is no footage. */
function isEmpty(
  { whole, others }: OpenWipe,
  { outcome, removed, kept, left }: WipeReport,
  files: number,
): boolean {
  const gone = removed.length + kept.filter(({ why }) => why === "gone").length;
  return whole && outcome === "done" && gone === files && left !== null && left <= others;
}

/** When the helper began: what the camera records from then on is not of before. Never later than now. */
function emptiedAt({ issuedAt }: OpenWipe, { startedAt }: WipeReport, now: Instant): Instant {
  return instant(Math.min(now, Math.max(issuedAt, startedAt)));
}
