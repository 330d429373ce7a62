import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "#base/errors";
import { type Clock, SECOND_MS } from "#base/time";
import type { Report } from "../orders/report.ts";
import { alone } from "./alone.ts";
import { carryOut } from "./carry-out.ts";
import type { Mounts } from "./mounts.ts";
import type { HelperPlaces } from "./places.ts";
import { forgetUsed } from "./used.ts";

const NAME = /^([0-9a-f]{32})\.order$/;

/** One at a time for each card: runs `body` once those before it for the same card have ended. */
export type InTurn = <T>(card: string, body: () => Promise<T>) => Promise<T>;

/**
 * Carries out the orders that lie there and those that come while it is at work, several cards at once, and
 * returns when none is left. May be killed at any moment: what was begun is never begun again.
 */
export async function carryOutOrders(
  clock: Clock,
  mounts: Mounts,
  places: HelperPlaces,
  tell: (nonce: string, report: Report | undefined) => void,
): Promise<void> {
  await mkdir(places.used, { recursive: true, mode: 0o700 });
  await mkdir(places.reports, { recursive: true, mode: 0o755 });
  await using _ = await alone(places.used);
  await forgetUsed(clock, places.used);
  const taken = new Set<string>();
  const atWork = new Set<Promise<void>>();
  const inTurn = turns();
  for (;;) {
    for (const nonce of (await noncesIn(places)).filter((one) => !taken.has(one))) {
      taken.add(nonce);
      const one = carryOut(clock, mounts, places, inTurn, nonce)
        .then((report) => tell(nonce, report))
        .finally(() => atWork.delete(one));
      atWork.add(one);
    }
    if (atWork.size === 0) return;
    await raceWithSleep(clock, atWork);
  }
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

async function noncesIn({ state }: HelperPlaces): Promise<readonly string[]> {
  try {
    const names = await readdir(join(state, "orders"));
    return names.toSorted().flatMap((name) => NAME.exec(name)?.[1] ?? []);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}

export function turns(): InTurn {
  const last = new Map<string, Promise<unknown>>();
  return (card, body) => {
    const before = last.get(card) ?? Promise.resolve();
    const own = before.then(body, body);
    last.set(card, own);
    return own;
  };
}
