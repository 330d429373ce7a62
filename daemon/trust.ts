import { z } from "zod";
import { BewaardError } from "#base/errors";
import { type Clock, DAY_MS, HOUR_MS, type Instant, instantOf, isoOf, MINUTE_MS } from "#base/time";
import { readFact, writeFact } from "../storage/catalog/facts.ts";
import { number } from "../storage/catalog/row.ts";
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
  /** What outside sources said last, as wall time less uptime: nobody can set that clock. */
  heard: z.array(z.strictObject({ source: z.string(), offsetMs: z.number() })).default([]),
  /**
   * What an administrator said, the same way; until the next start. It breaks ties. A jump does not make it
   * false: one source that lies must not be believed over it because the clock was set to what that says.
   */
  confirmedMs: z.number().nullable().default(null),
});
type Remembered = z.output<typeof remembered>;

/** What an outside source says: which kind it is, and what time it is there. */
export interface Heard {
  readonly source: string;
  readonly time: Instant;
}

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
    await distrust(sql, clock, { ...known, heard: [] }, why, []);
    return { trusted: false, why };
  });
}

/**
 * Counts what outside sources say. Those that agree with this box within five minutes must be more than
 * those that do not: one liar among three does not block, and one against one is for somebody to settle.
 * An administrator's word counts with them. Silence changes nothing.
 */
export function hear(clock: Clock, database: Database, said: readonly Heard[]): Promise<Trust> {
  return database.transaction(async (sql) => {
    const known = (await recall(sql)) ?? nothingKnown(clock);
    const here = known.bootId === clock.bootId();
    const why = known.trusted ? doubt(clock, known) : known.source;
    const kept = { ...known, confirmedMs: here ? known.confirmedMs : null };
    if (known.trusted && why !== undefined) {
      // It jumped since it was last looked at: what is said now begins anew.
      await distrust(sql, clock, { ...kept, heard: [] }, why, []);
      kept.trusted = false;
      kept.source = why;
    }
    const heard = said.map(({ source, time }) => ({ source, offsetMs: time - clock.uptimeMs() }));
    const counted = count(offset(clock), heard, kept.confirmedMs);
    const told = toldOf(clock, heard);
    if (heard.length > 0 && !counted.outvoted && counted.agreeing > 0) {
      const source = `${counted.agreeing} outside sources agree, ${counted.disagreeing} do not`;
      const now = { ...kept, bootId: clock.bootId(), offsetMs: offset(clock), source, heard };
      await writeFact(sql, "clock", JSON.stringify({ ...now, trusted: true }));
      if (!kept.trusted)
        await append(sql, clock.now(), [{ kind: "clock.trusted", facts: { sources: told } }]);
      return { trusted: true, why: source };
    }
    if (heard.length > 0 && kept.trusted) {
      await distrust(sql, clock, { ...kept, heard }, DISAGREE, told);
      return { trusted: false, why: DISAGREE };
    }
    const source = heard.length > 0 ? DISAGREE : kept.source;
    await writeFact(sql, "clock", JSON.stringify({ ...kept, source, heard }));
    return { trusted: kept.trusted, why: source };
  });
}

/**
 * Distrusts a clock that is behind the ledger's newest entry by more than five minutes: called at the
 * start, before anything is written.
 */
export function lookBack(clock: Clock, database: Database): Promise<void> {
  return database.transaction(async (sql) => {
    const known = await recall(sql);
    // The newest, not the latest: what a clock that was ahead once wrote must not raise doubts for ever.
    const [newest] = await sql.all("select at_ms as at from entry order by seq desc limit 1");
    if (!known?.trusted || !newest || clock.now() >= number(newest, "at") - SLACK_MS) return;
    const why = "the clock is behind the ledger's newest entry";
    // It may be a machine put back to an older picture of itself: its uptime is no measure of anything then.
    await distrust(sql, clock, { ...known, heard: [], confirmedMs: null }, why, []);
  });
}

const DISAGREE = "outside sources disagree about the time";

function nothingKnown(clock: Clock): Remembered {
  const source = "never confirmed on this box";
  const none = { heard: [], confirmedMs: null, trusted: false };
  return { bootId: clock.bootId(), offsetMs: offset(clock), source, ...none };
}

function count(offsetMs: number, heard: Remembered["heard"], confirmedMs: number | null) {
  const said = heard.map((one) => one.offsetMs);
  const all = confirmedMs === null ? said : [...said, confirmedMs];
  const agreeing = all.filter((one) => Math.abs(offsetMs - one) <= SLACK_MS).length;
  const disagreeing = all.length - agreeing;
  return { agreeing, disagreeing, outvoted: disagreeing >= agreeing && disagreeing > 0 };
}

/** For the ledger: which kind of source said by how much this box is ahead of it. No addresses. */
function toldOf(clock: Clock, heard: Remembered["heard"]) {
  return heard.map(({ source, offsetMs }) => ({ source, offMs: offset(clock) - offsetMs }));
}

async function distrust(
  sql: Sql,
  clock: Clock,
  known: Remembered,
  why: string,
  sources: ReturnType<typeof toldOf>,
): Promise<void> {
  await writeFact(sql, "clock", JSON.stringify({ ...known, source: why, trusted: false }));
  await append(sql, clock.now(), [{ kind: "clock.untrusted", facts: { why, sources } }]);
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
    const before = await recall(sql);
    const heard = before?.bootId === clock.bootId() ? before.heard : [];
    const confirmedMs = offset(clock) - offMs;
    const { disagreeing, outvoted } = count(offset(clock), heard, confirmedMs);
    if (outvoted) {
      const message = `${disagreeing} outside sources say another time, and no more than that agree: mend or remove them, then confirm again`;
      throw new BewaardError("CLOCK_DISAGREES", message);
    }
    const now: Remembered = {
      bootId: clock.bootId(),
      offsetMs: offset(clock),
      source,
      trusted: true,
      heard,
      confirmedMs,
    };
    await writeFact(sql, "clock", JSON.stringify(now));
    await append(sql, clock.now(), [
      {
        kind: "clock.confirmed",
        facts: { source: "administrator", offMs, sources: toldOf(clock, heard) },
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
    // NaN is not, either.
    !(Date.parse(text) >= 0)
  ) {
    throw new BewaardError(
      "CLOCK_DISAGREES",
      'write the time with its offset: "2026-11-22T17:05+01:00"',
    );
  }
  return instantOf(new Date(text).toISOString());
}
