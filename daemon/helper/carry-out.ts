import { stat } from "node:fs/promises";
import { writeWhole } from "#base/durable";
import { BewaardError } from "#base/errors";
import { step } from "#base/step";
import { type Clock, isoOf } from "#base/time";
import { type Order, readOrder, type SetTimeOrder, type WipeOrder } from "../orders/order.ts";
import { type Report, readReport, reportPath, reportText } from "../orders/report.ts";
import { whyNot } from "./admit.ts";
import { countFiles } from "./count-files.ts";
import { afterInterruption } from "./interrupted.ts";
import { readLeft, takeAway } from "./left.ts";
import { isMtp } from "./look.ts";
import { lookAgain } from "./look-again.ts";
import type { Mounts } from "./mounts.ts";
import { openDocked } from "./open-docked.ts";
import type { InTurn } from "./orders.ts";
import type { HelperPlaces } from "./places.ts";
import { ownUser, readRecord } from "./record.ts";
import type { SafeFolder } from "./safe-folder.ts";
import { isZone, setTime } from "./set-time.ts";
import { beginOnce, type UsedOrder } from "./used.ts";
import { isUntrusted, readVerifier } from "./verifier.ts";
import { whileWritable } from "./while-writable.ts";
import { NOTHING, type Outcome, unsettled, wipe } from "./wipe.ts";

/** How an order ended, before it is written down. */
export interface Ending extends Outcome {
  readonly outcome: Report["outcome"];
  readonly why: string | null;
}

/**
 * Carries out the order `nonce` if nobody ever began it, reports, and takes the order away. Where an earlier
 * start was cut off nothing more is done to the card than making it read-only again. Returns what it reported;
 * undefined for an order that had come to its end before.
 */
export async function carryOut(
  clock: Clock,
  mounts: Mounts,
  places: HelperPlaces,
  inTurn: InTurn,
  nonce: string,
): Promise<Report | undefined> {
  const startedAt = isoOf(clock.now());
  const begun = await beginOnce(clock, places.used, nonce);
  if ("noted" in begun && (begun.closed || (await isReported(places, nonce)))) {
    await takenAway(places, nonce);
    return undefined;
  }
  await using used = "noted" in begun ? undefined : begun;
  step("helper.used");
  const order = await inTurn("reading", () => readThis(places, nonce)).catch(asRefusal);
  const ending =
    typeof order === "string"
      ? refusal(order)
      : await inTurn(order.name, () =>
          "noted" in begun
            ? afterInterruption(clock, mounts, places, order, begun)
            : obey(clock, mounts, places, order, begun),
        );
  const one: Report = {
    bewaard: "report/1",
    nonce,
    verb: typeof order === "string" ? null : order.verb,
    startedAt,
    endedAt: isoOf(clock.now()),
    outcome: ending.outcome,
    why: ending.why,
    removed: [...ending.removed],
    kept: [...ending.kept],
    left: ending.left,
  };
  await writeWhole(reportPath(places.reports, nonce), reportText(one), 0o644);
  step("helper.reported");
  await used?.close();
  await takenAway(places, nonce);
  return one;
}

async function isReported({ reports }: HelperPlaces, nonce: string): Promise<boolean> {
  return (await readReport(reports, nonce, ownUser())) !== undefined;
}

/** @throws BewaardError ORDER_REFUSED for what core did not sign for us, or others could have written. */
async function readThis(places: HelperPlaces, nonce: string): Promise<Order> {
  const { uid } = await stat(places.state);
  const bytes = await readLeft(places, nonce, [uid, ownUser()]);
  if (!Buffer.isBuffer(bytes)) throw new BewaardError("ORDER_REFUSED", bytes);
  const order = readOrder(await readVerifier(places), bytes.toString());
  if (order.nonce === nonce) return order;
  throw new BewaardError("ORDER_REFUSED", "its name is not its nonce");
}

/** The reason in the report of an order that is none. */
function asRefusal(error: unknown): string {
  if (!isUntrusted(error)) throw error;
  if (error.code === "NODE_KEY") return "no-node-key";
  return ["untrusted", "absent"].includes(error.message) ? error.message : "not-signed";
}

async function obey(
  clock: Clock,
  mounts: Mounts,
  places: HelperPlaces,
  order: Order,
  used: UsedOrder,
): Promise<Ending> {
  const record = await readRecord(places.cards, order.name);
  const why = whyNot(clock, order, record) ?? (await lookAgain(mounts, places, order));
  if (why !== undefined) return refusal(why);
  if (order.verb === "set-time" && !isZone(order.zone)) return refusal("unknown-zone");
  // A media device has its files removed, one by one, and nothing else.
  if (isMtp(order.name) && (order.verb === "set-time" || order.how === "overwrite"))
    return refusal("not-a-disk");
  const at = record?.mountedAt ?? "";
  await using card = await openDocked(mounts, order, at);
  if (card === undefined) return refusal("not-docked");
  return order.verb === "wipe"
    ? await obeyWipe(mounts, places, order, at, card, used)
    : await obeySetTime(clock, mounts, places, order, at, card);
}

async function obeyWipe(
  mounts: Mounts,
  places: HelperPlaces,
  order: WipeOrder,
  at: string,
  card: SafeFolder,
  used: UsedOrder,
): Promise<Ending> {
  const { done, why } = await whileWritable(mounts, at, card, () =>
    wipe(mounts, order, card, used),
  );
  if (done === undefined) return refusal(why ?? "not-writable");
  // Of one that was pulled out nothing is certain, whatever its sync came to.
  const isHere = (await lookAgain(mounts, places, order)) === undefined;
  if (!isHere) return { ...unsettled(done), outcome: "failed", why: "card-gone" };
  if (why === undefined) return { ...done, outcome: "done", why: null };
  return { ...(why === "not-settled" ? unsettled(done) : done), outcome: "failed", why };
}

async function obeySetTime(
  clock: Clock,
  mounts: Mounts,
  places: HelperPlaces,
  order: SetTimeOrder,
  at: string,
  card: SafeFolder,
): Promise<Ending> {
  const { done, why } = await whileWritable(mounts, at, card, async () => {
    const trouble = await setTime(clock, order, card, places.used);
    return { trouble, left: await countFiles(card) };
  });
  if (done === undefined) return refusal(why ?? "not-writable");
  const trouble = done.trouble ?? why ?? null;
  const outcome = trouble === null ? "done" : "failed";
  return { ...NOTHING, left: done.left, outcome, why: trouble };
}

function refusal(why: string): Ending {
  return { ...NOTHING, outcome: "refused", why };
}

async function takenAway(places: HelperPlaces, nonce: string): Promise<void> {
  await takeAway(places, nonce);
  step("helper.taken-away");
}
