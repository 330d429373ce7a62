import { z } from "zod";
import { BewaardError } from "#base/errors";
import type { NodeId } from "#base/ids";
import { step } from "#base/step";
import { type Clock, HOUR_MS, type Instant, instant } from "#base/time";
import { readFact, writeFact } from "../storage/catalog/facts.ts";
import { recordHold, recordRelease } from "../storage/catalog/holds.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { append } from "../storage/ledger/append.ts";
import type { Vault } from "../storage/vault/vault.ts";
import { CHAIN_START, type ChainEntry, chainAfter } from "./desk/chain.ts";
import { enforcer } from "./enforce-holds.ts";
import type { Events } from "./events.ts";
import { obeyMedium, sayOfMedium } from "./heed-medium.ts";
import type { HeedDesk } from "./retain.ts";

/** Which desk this box obeys. */
export interface DeskOf {
  readonly site: string;
  /** One person's release counts on a demo site only (invariant 12). */
  readonly demo: boolean;
  readonly signersPath: string;
  /** Whether a hold is in force only once the separate medium has the same bytes (AR-20). */
  readonly separate: boolean;
}

/** Why the desk's entries cannot be read now, and when they last were. */
export interface Unread {
  readonly error: BewaardError;
  readonly since: Instant;
  /** The same by the machine's uptime; where this process has not read them yet, when it began to try. */
  readonly sinceUptimeMs: number;
}

/** Reads what the desk decided. */
export interface Heeder extends HeedDesk {
  /** What came of the last try: null where it succeeded, undefined before the first. */
  readonly unread: () => Unread | null | undefined;
}

const read = z.strictObject({
  number: z.int(),
  link: z.string().nullable(),
  /** When the chain was last read to its end: a restart does not forget how long ago that is. */
  heardAtMs: z.int(),
  /** When its end was last reached: what expired before and came after was put too late. */
  endAtMs: z.int().default(0),
});
type DeskRead = z.output<typeof read>;

/** How far this box has followed the desk's chain, and when; undefined before the first time. */
export async function deskReadTo(database: Database): Promise<DeskRead | undefined> {
  const text = await database.transaction((sql) => readFact(sql, "desk"));
  return text === undefined ? undefined : read.parse(JSON.parse(text));
}

/**
 * Makes the function by which a box learns what the desk decided, and sets holds in the vault. A desk
 * that cannot be read changes nothing: what was held stays held. The alarm `desk-unreadable` goes by `unread`.
 */
export function heeder(
  clock: Clock,
  events: Events,
  database: Database,
  vault: Vault,
  node: NodeId,
  desk: DeskOf,
): Heeder {
  let unread: Unread | null | undefined;
  const enforce = enforcer(clock, events, database, vault, node, desk.separate);
  const startedAt = clock.now();
  let readAtMs = clock.uptimeMs();

  const heed: HeedDesk = async (now, signal) => {
    const known = await deskReadTo(database);
    try {
      const from = known ?? CHAIN_START;
      try {
        for await (const next of chainAfter(vault, desk.site, desk.signersPath, from, signal)) {
          await obey(events, database, node, desk, next, known?.endAtMs ?? 0, now);
        }
      } catch (error) {
        // What was read before that counts (invariant 4).
        if (error instanceof BewaardError && !signal.aborted) await enforce(now);
        throw error;
      }
      await enforce(now);
      if (known && Math.abs(now - known.endAtMs) >= HOUR_MS) await hear(database, now);
      readAtMs = clock.uptimeMs();
      unread = null;
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      if (!(error instanceof BewaardError)) throw error;
      const since = instant(known?.heardAtMs ?? startedAt);
      unread = { error, since, sinceUptimeMs: readAtMs };
      return false;
    }
  };
  return Object.assign(heed, { unread: () => unread });
}

/** Remembers that the chain was read to its end now. */
async function hear(database: Database, now: Instant): Promise<void> {
  await database.transaction(async (sql) => {
    const text = await readFact(sql, "desk");
    if (text === undefined) return;
    await writeFact(
      sql,
      "desk",
      JSON.stringify({ ...read.parse(JSON.parse(text)), heardAtMs: now, endAtMs: now }),
    );
  });
}

/** Does what one entry says, in the transaction that remembers it was read. */
async function obey(
  events: Events,
  database: Database,
  node: NodeId,
  desk: DeskOf,
  { entry, head, keySha256 }: ChainEntry,
  endAtMs: number,
  now: Instant,
): Promise<void> {
  const { command, number, expiresAt } = entry;
  await database.transaction(async (sql) => {
    await writeFact(sql, "desk", JSON.stringify({ ...head, heardAtMs: now, endAtMs }));
    if (command.kind === "hold") {
      const { hold: id, incident, owner, reviewAt } = command;
      const segments = command.segments.filter((one) => one.node === node).map((one) => one.id);
      if (segments.length === 0) return;
      const asked = { id, incident, deskNumber: number, owner, reviewAt, segments };
      const tooLate = await recordHold(sql, now, asked);
      events.holdRequested(id, incident, segments.length);
      if (tooLate.length > 0) events.holdTooLate(id, tooLate);
    } else if (command.kind === "medium.destroyed") {
      const signed = { entry, link: head.link, keySha256 };
      const late = expiresAt < endAtMs;
      const came = await obeyMedium(sql, node, desk.demo, command, { ...signed, late }, now);
      sayOfMedium(events, command, number, came);
    } else if (command.kind === "release" && !desk.demo) {
      await append(sql, now, [
        { kind: "release.refused", facts: { desk: number, why: "one person" } },
      ]);
      events.releaseRefused(number);
    } else if (command.kind === "release" && expiresAt < endAtMs) {
      // A hold that comes late still keeps footage; a release kept back would destroy what somebody
      // may have counted on since.
      await append(sql, now, [
        { kind: "release.refused", facts: { desk: number, why: "put after it expired" } },
      ]);
      events.releaseRefused(number);
    } else if (command.kind === "release") {
      const released = await recordRelease(sql, now, command.hold, number);
      if (released > 0) events.holdReleased(command.hold);
    }
  });
  if (command.kind === "hold") step("hold.requested");
  if (command.kind === "release") step("hold.released");
}
