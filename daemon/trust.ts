import { z } from "zod";
import { BewaardError } from "#base/errors";
import { type Clock, DAY_MS, HOUR_MS, type Instant, instantOf, isoOf, MINUTE_MS } from "#base/time";
import { readFact, writeFact } from "../storage/catalog/facts.ts";
import type { Database, Sql } from "../storage/catalog/sqlite.ts";
import { append } from "../storage/ledger/append.ts";

/** How far wall time may move against uptime, and an outside source may differ (invariant 10). */
const SLACK_MS = 5 * MINUTE_MS;
/** How long the ledger remembers who confirmed the time. */
const WHO_TERM_MS = 365 * DAY_MS;

const remembered = z.strictObject({
  bootId: z.string(),
  /** Wall time less uptime when an outside source agreed. It does not follow small steps: many add up. */
  offsetMs: z.number(),
  source: z.string(),
  trusted: z.boolean(),
});
type Remembered = z.output<typeof remembered>;

export interface Trust {
  readonly trusted: boolean;
  /** What agreed, or what is wrong. */
  readonly why: string;
}

/**
 * Whether wall time may decide what is destroyed (invariant 10). Untrusted after each start of the
 * machine and after a jump, until an outside source agrees; the change is a ledger entry.
 */
export function timeTrust(clock: Clock, database: Database): Promise<Trust> {
  return database.transaction(async (sql) => {
    const known = await recall(sql);
    if (!known) return { trusted: false, why: "never confirmed on this box" };
    if (!known.trusted) return { trusted: false, why: known.source };
    const why = doubt(clock, known);
    if (why === undefined) return { trusted: true, why: known.source };
    await writeFact(sql, "clock", JSON.stringify({ ...known, source: why, trusted: false }));
    await append(sql, clock.now(), [{ kind: "clock.untrusted", facts: { why } }]);
    return { trusted: false, why };
  });
}

function doubt(clock: Clock, known: Remembered): string | undefined {
  if (clock.bootId() !== known.bootId) return "the machine was started";
  const movedMs = offset(clock) - known.offsetMs;
  if (Math.abs(movedMs) <= SLACK_MS) return undefined;
  const hours = (Math.abs(movedMs) / HOUR_MS).toFixed(1);
  return `the clock jumped ${hours} h ${movedMs > 0 ? "ahead" : "back"}`;
}

function offset(clock: Clock): number {
  return clock.now() - clock.uptimeMs();
}

/**
 * An administrator's word that it is `time` now. Trusts the clock when both agree within five minutes;
 * returns by how much the clock is off, in milliseconds.
 * @throws BewaardError CLOCK_DISAGREES: set the clock first.
 */
export function confirmTime(
  clock: Clock,
  database: Database,
  time: Instant,
  by: string,
): Promise<number> {
  const offMs = clock.now() - time;
  if (Math.abs(offMs) > SLACK_MS) {
    const message = `this box says ${isoOf(clock.now())}, you say ${isoOf(time)}: set the clock, then confirm again`;
    return Promise.reject(new BewaardError("CLOCK_DISAGREES", message));
  }
  return database.transaction(async (sql) => {
    const source = `confirmed at ${isoOf(clock.now())}`;
    const now: Remembered = {
      bootId: clock.bootId(),
      offsetMs: offset(clock),
      source,
      trusted: true,
    };
    await writeFact(sql, "clock", JSON.stringify(now));
    await append(sql, clock.now(), [
      {
        kind: "clock.confirmed",
        facts: { source: "administrator", offMs },
        detail: { facts: { by }, eraseAfterMs: clock.now() + WHO_TERM_MS },
      },
    ]);
    return offMs;
  });
}

async function recall(sql: Sql): Promise<Remembered | undefined> {
  const text = await readFact(sql, "clock");
  return text === undefined ? undefined : remembered.parse(JSON.parse(text));
}

/**
 * Reads what an administrator types as the time now: `2026-11-22T17:05+01:00`, with its offset.
 * @throws BewaardError CLOCK_DISAGREES when it is no such time.
 */
export function parseWallTime(text: string): Instant {
  if (
    !/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/.test(text) ||
    Number.isNaN(Date.parse(text))
  ) {
    throw new BewaardError(
      "CLOCK_DISAGREES",
      'write the time with its offset: "2026-11-22T17:05+01:00"',
    );
  }
  return instantOf(new Date(text).toISOString());
}
