import { type Clock, type Instant, MINUTE_MS, plus, SECOND_MS } from "#base/time";
import type { S3Calls } from "../../storage/vault/s3-answers.ts";
import { askBucket } from "./bucket-answers.ts";
import { destroyerRows } from "./bucket-destroyer.ts";
import type { Kept } from "./bucket-footage-rules.ts";
import { holdRows } from "./bucket-holds.ts";
import { tidy } from "./bucket-left.ts";
import { lifecycleRows } from "./bucket-lifecycle.ts";
import { lockRows } from "./bucket-locks.ts";
import { placeRows } from "./bucket-place.ts";
import { type Probing, tried } from "./bucket-probe.ts";
import { boxRows } from "./bucket-rights.ts";
import { type BucketRow, honoured, remark, say, unfit } from "./bucket-row.ts";
import { reportOf, type VaultReport } from "./bucket-shown.ts";
import { stateRows } from "./bucket-state.ts";
import { uploadRows } from "./bucket-uploads.ts";
import { putRows } from "./bucket-writes.ts";

/** Who is on this machine, each with its own credential. */
export interface Credentialed {
  readonly box: S3Calls;
  readonly destroyer: S3Calls | undefined;
}

/** Long enough for the tries to end before it does; the shortest that a lock can be. */
const LOCK_MS = 30 * SECOND_MS;

/**
 * Whether the bucket does what its level needs: asked, and tried under `footage/<node>/check/<name>/`, which is
 * removed again. What a lock keeps there is told with its end. One that lies elsewhere is not written to.
 */
export async function checkBucket(
  clock: Clock,
  { box, destroyer }: Credentialed,
  kept: Kept,
  name: string,
  signal: AbortSignal,
): Promise<VaultReport> {
  const { bucket } = box;
  let place: readonly BucketRow[] = [];
  let state: readonly BucketRow[] = [];
  const asked = await tried("reachable", signal, async () => {
    const answers = await askBucket(box);
    place = placeRows(bucket, answers);
    state = [...stateRows(kept.level, answers), ...lifecycleRows(kept, answers.lifecycle)];
    return [honoured("reachable", bucket.endpoint, bucket.endpoint)];
  });
  const before = [...asked, ...place, ...state];
  const elsewhere = [...asked, ...place].some(({ verdict }) => verdict === "not fit");
  // Not a byte to a bucket that may be outside the EEA (invariant 11).
  if (elsewhere) return reportOf(bucket.name, kept.level, before, []);
  // A bucket without locks refuses what asks for one: the rest is tried without.
  const locks = kept.level === "locked" && isFit("object lock", state);
  const lockedUntil = locks ? plus(clock.now(), LOCK_MS) : undefined;
  const probing: Probing = {
    clock,
    kept,
    box,
    destroyer,
    folder: `footage/${kept.node}/check/${name}/`,
    elsewhere: `footage/${kept.node}-${name}/`,
    lockedUntil,
    signal,
  };
  const rows = [...before, ...(await clockRows(clock, box, signal)), ...(await tries(probing))];
  const { rows: last, left } = await tidy(probing);
  return reportOf(bucket.name, kept.level, [...rows, ...last], left);
}

function isFit(name: string, rows: readonly BucketRow[]): boolean {
  return rows.some(({ what, verdict }) => what === name && verdict === "fit");
}

async function tries(probing: Probing): Promise<readonly BucketRow[]> {
  const { rows, written } = await putRows(probing);
  if (written === undefined) return rows;
  const { rows: inParts, uploaded } = await uploadRows(probing, written);
  return [
    ...rows,
    ...inParts,
    ...(await lockRows(probing, written, uploaded)),
    ...(await holdRows(probing, written)),
    ...(await boxRows(probing, written.versionId)),
    ...(await destroyerRows(probing, written)),
  ];
}

/** Providers refuse who is 15 minutes off; locks and the 28 days are counted by their clock too. */
const FAR_OFF_MS = 5 * MINUTE_MS;
const OFF_MS = 30 * SECOND_MS;

function clockRows(clock: Clock, box: S3Calls, signal: AbortSignal): Promise<readonly BucketRow[]> {
  return tried("vault clock", signal, async () => {
    const { toldAt } = await box.headBucket();
    return [clockRow(clock.now(), toldAt)];
  });
}

function clockRow(now: Instant, toldAt: Instant | undefined): BucketRow {
  const what = "vault clock";
  if (toldAt === undefined) return honoured(what, "zegt niet hoe laat het is", "does not tell");
  const offMs = now - toldAt;
  const seconds = Math.round(offMs / SECOND_MS);
  if (Math.abs(offMs) <= OFF_MS) return honoured(what, `${seconds} s`, `${seconds} s`);
  const told = {
    saw: say(`onze klok wijkt ${seconds} s af van de kluis`, `our clock is ${seconds} s off`),
    means: say(
      "sloten eindigen te vroeg of te laat, en bij 15 minuten weigert de kluis alles",
      "locks end too early or too late, and at 15 minutes the vault refuses everything",
    ),
    todo: say("zet de klok gelijk: chrony", "put the clock right: chrony"),
  };
  return Math.abs(offMs) <= FAR_OFF_MS ? remark(what, told) : unfit(what, told);
}
