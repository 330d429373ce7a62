import { mkdir } from "node:fs/promises";
import { BewaardError } from "#base/errors";
import { type Clock, SECOND_MS } from "#base/time";
import type { Report } from "../orders/report.ts";
import { alone } from "./alone.ts";
import { carryOut } from "./carry-out.ts";
import { noncesLeft } from "./left.ts";
import type { Mounts } from "./mounts.ts";
import { forgetReports } from "./old-reports.ts";
import type { HelperPlaces } from "./places.ts";
import { forgetUsed } from "./used.ts";

/** As many as a dock has slots. More would only fill the memory: nobody says how many core leaves. */
const AT_ONCE = 16;

/**
 * Of 28 days: five for each of 16 slots, eight times a day, and half as many again, which is a clock for each slot each hour
 * (config/profile-schema.ts). Each is a file on this machine's own disk, and who took over core's user could fill that with them.
 */
const ORDERS_LIMIT = 30_000;

/** One at a time for each card, and of reading an order: runs `body` once those before it for the same have ended. */
export type InTurn = <T>(what: string, body: () => Promise<T>) => Promise<T>;

/**
 * Carries out the orders that lie there and those that come while it is at work, several cards at once, and
 * returns when none is left. May be killed at any moment: what was begun is never begun again. Where one fails the
 * others come to their end, and then the first failure is thrown.
 */
export async function carryOutOrders(
  clock: Clock,
  mounts: Mounts,
  places: HelperPlaces,
  tell: (nonce: string, report: Report | undefined) => void,
): Promise<void> {
  await mkdir(places.used, { recursive: true, mode: 0o700 });
  await mkdir(places.reports, { recursive: true, mode: 0o755 });
  // One that was started by hand would take an order that is being carried out for one that was cut off.
  await using _ = await alone(places.used);
  const begun = await forgetUsed(clock, places.used);
  const taken = new Set<string>();
  const atWork = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const inTurn = turns();
  const take = (nonce: string): void => {
    taken.add(nonce);
    const one = carryOut(clock, mounts, places, inTurn, nonce)
      .then((report) => tell(nonce, report))
      .catch((error: unknown) => failures.push(error))
      .then(() => void atWork.delete(one));
    atWork.add(one);
  };
  const forgetOld = (): Promise<unknown> =>
    forgetReports(places.reports).catch((error: unknown) => failures.push(error));
  for (;;) {
    const left = await noncesLeft(places).catch((error: unknown) => {
      failures.push(error);
      return [];
    });
    const others = left.filter((one) => !taken.has(one));
    const room = ORDERS_LIMIT - begun - taken.size;
    for (const nonce of others.slice(0, Math.max(0, Math.min(AT_ONCE - atWork.size, room))))
      take(nonce);
    if (atWork.size === 0) {
      if (others.length > 0) failures.push(tooMany());
      break;
    }
    await raceWithSleep(clock, atWork);
    await forgetOld();
  }
  // What came while the last were forgotten.
  await forgetOld();
  if (failures.length > 0) throw failures[0];
}

function tooMany(): BewaardError {
  return new BewaardError("ORDER_REFUSED", "more orders were begun than any dock has cards");
}

/** Returns when one of them has ended, or after a second: then there may be another order. */
async function raceWithSleep(clock: Clock, atWork: Iterable<Promise<void>>): Promise<void> {
  const woken = new AbortController();
  const sleep = clock.sleep(SECOND_MS, woken.signal).catch((error: unknown) => {
    if (!woken.signal.aborted) throw error;
  });
  try {
    await Promise.race([...atWork, sleep]);
  } finally {
    woken.abort();
  }
}

export function turns(): InTurn {
  const last = new Map<string, Promise<unknown>>();
  return (what, body) => {
    const before = last.get(what) ?? Promise.resolve();
    const own = before.then(body, body);
    last.set(what, own);
    return own;
  };
}
