import { atMostEvery } from "#base/at-most-every";
import { BewaardError } from "#base/errors";
import type { NodeId } from "#base/ids";
import { step } from "#base/step";
import {
  type Clock,
  DAY_MS,
  every,
  HOUR_MS,
  type Instant,
  MINUTE_MS,
  plus,
  SECOND_MS,
} from "#base/time";
import { isDestroyed, type MediumName, shownMedium } from "../storage/catalog/medium.ts";
import {
  freeSecured,
  intendSecure,
  type LeavingSecured,
  leavingSecured,
  recordSecured,
  recordServed,
  recordUnsecured,
  segmentsToSecure,
  type ToSecure,
} from "../storage/catalog/secured.ts";
import { countWaiting } from "../storage/catalog/secured-counts.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { type Spool, segmentPath } from "../storage/spool/spool.ts";
import { fileBody } from "../storage/vault/body.ts";
import { footageKey } from "../storage/vault/keys.ts";
import type { Vault } from "../storage/vault/vault.ts";
import { copyOver } from "./copy-over.ts";
import { emptyVault } from "./destroy.ts";
import type { Events } from "./events.ts";
import { findLostCopies } from "./find-lost-copies.ts";
import { steady } from "./steady.ts";

/** The separate medium (*afzonderlijk medium*, AR-20) of this box: a vault of its own, and its name. */
export interface Medium extends MediumName {
  readonly vault: Vault;
}

/** What policy asks of held footage besides the vault. */
export interface SeparateCopy {
  /** Whether held footage is to have a separate copy at all (AR-20). */
  readonly wanted: boolean;
  /** Held copies are gone this long after closing (DH-09, AR-29). */
  readonly destroyWithinMs: number;
}

const LOOK_EVERY_MS = 30 * SECOND_MS;
/** Without a medium there is nothing to do but to tell what waits for one. */
const TELL_EVERY_MS = 5 * MINUTE_MS;
const AT_ONCE = 100;
/** A medium that is away for this long while it is needed is told of. */
const AWAY_PATIENCE_MS = HOUR_MS;

/**
 * Copies held footage to the separate medium, and removes from there what nothing holds any more, until
 * the signal aborts (procedure "Secure"). A medium that is away is waited for, with an alarm each day.
 * @param medium undefined where none is configured: then what is missing is told of, and nothing else done.
 */
export async function secure(
  clock: Clock,
  events: Events,
  database: Database,
  spool: Spool,
  vault: Vault,
  node: NodeId,
  medium: Medium | undefined,
  policy: SeparateCopy,
  mayDestroy: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  const turn = steady(clock, events, "secure");
  const daily = atMostEvery(clock, DAY_MS);
  const hourly = atMostEvery(clock, HOUR_MS);
  let lookAtMs = 0;
  const securing = { clock, events, database, spool, vault, node, hourly };
  for await (const now of every(clock, medium ? LOOK_EVERY_MS : TELL_EVERY_MS, signal)) {
    await turn(async () => {
      const usable = medium && (await isSpent(securing, medium, daily)) ? undefined : medium;
      if (await mayDestroy()) {
        // Half of what policy allows (DH-09, AR-29): the other half is for a medium that is away.
        const releasedAfter = plus(now, -Math.floor(policy.destroyWithinMs / 2));
        if ((await freeSecured(database, now, releasedAfter)) > 0) step("secure.freed");
        if (usable) await emptyAll(securing, usable, daily, signal);
      }
      if (usable && clock.uptimeMs() >= lookAtMs) {
        const looked = await findLostCopies(clock, events, database, node, usable, signal);
        if (looked) lookAtMs = clock.uptimeMs() + DAY_MS;
      }
      if (usable) await secureAll(securing, usable, daily, signal);
      await sayWhatWaits(events, database, medium, policy, now, daily);
    });
  }
}

interface Securing {
  readonly clock: Clock;
  readonly events: Events;
  readonly database: Database;
  readonly spool: Spool;
  readonly vault: Vault;
  readonly node: NodeId;
  readonly hourly: (what: string) => boolean;
}

/**
 * Whether two people signed that this medium is destroyed. Nothing goes there then; and when it is here all the
 * same, what the catalog calls gone still lies on it, and that is an alarm each day (invariant 3).
 */
async function isSpent(
  { events, database, hourly }: Securing,
  medium: Medium,
  daily: (what: string) => boolean,
): Promise<boolean> {
  if (!(await isDestroyed(database, medium))) return false;
  if (hourly("is it here?") && (await isHere(medium)) && daily("returned"))
    events.mediumReturned(medium);
  return true;
}

async function isHere({ vault }: Medium): Promise<boolean> {
  try {
    await vault.unfinished("footage/");
    return true;
  } catch (error) {
    if (!(error instanceof BewaardError)) throw error;
    return error.code === "MEDIUM_DESTROYED";
  }
}

/** What is wrong with the medium as a whole: the others wait as well. */
function isOfTheMedium({ code }: BewaardError): boolean {
  return ["VAULT_IDENTITY", "VAULT_UNAVAILABLE", "VAULT_FULL", "VAULT_VERSION"].includes(code);
}

async function secureAll(
  securing: Securing,
  medium: Medium,
  daily: (what: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const { events, database, hourly } = securing;
  let after = "";
  for (;;) {
    const waiting = await segmentsToSecure(database, after, AT_ONCE);
    for (const one of waiting) {
      if (signal.aborted) return;
      after = one.segment.id;
      try {
        await secureOne(securing, medium, one, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof BewaardError)) throw error;
        if (error.code === "VAULT_FULL" && daily("full")) events.mediumFull(medium, error);
        if (isOfTheMedium(error)) return;
        if (hourly(one.segment.id)) events.securingDelayed(one.segment.id, error);
      }
    }
    if (waiting.length < AT_ONCE) return;
  }
}

/** Copies one held segment from the spool, else from the vault. Ciphertext only: nothing here opens it. */
async function secureOne(
  { clock, events, database, spool, vault, node }: Securing,
  medium: Medium,
  { segment, spool: inSpool, versionId, present, leavingFrom }: ToSecure,
  signal: AbortSignal,
): Promise<void> {
  const { id, device, startedAt, arrivedAt, ciphertextBytes, parts } = segment;
  if (present) {
    for (const hold of await recordServed(database, clock.now(), id)) events.holdSecured(hold, id);
    return;
  }
  // What may still lie on another medium is looked for there first: one segment has one separate copy.
  if (leavingFrom && shownMedium(leavingFrom) !== shownMedium(medium)) return;
  const key = footageKey(node, device, startedAt, id);
  // Asked first: nothing is intended for a medium that is away.
  await medium.vault.versions(key);
  const sources = [
    ...(inSpool ? [fileBody(segmentPath(spool, id, arrivedAt), ciphertextBytes, parts)] : []),
    ...(versionId === undefined
      ? []
      : [
          {
            open: (range?: { from: number; to: number }) =>
              vault.read(key, versionId, signal, range),
            bytes: ciphertextBytes,
            parts,
          },
        ]),
  ];
  if (sources.length === 0) return;
  if (!(await intendSecure(database, id, medium, clock.now()))) return;
  step("secure.intended");
  const seen = await copyOver(medium.vault, key, sources, { segment: id, device }, signal);
  step("secure.copied");
  const served = await recordSecured(database, clock.now(), id, seen);
  step("secure.recorded");
  for (const hold of served) events.holdSecured(hold, id);
}

async function emptyAll(
  securing: Securing,
  medium: Medium,
  daily: (what: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const { events, database } = securing;
  let after = "";
  for (;;) {
    const leaving = await leavingSecured(database, after, AT_ONCE);
    for (const one of leaving) {
      if (signal.aborted) return;
      after = one.segment.id;
      if (shownMedium(one.medium) !== shownMedium(medium)) continue;
      try {
        await emptyOne(securing, medium, one);
      } catch (error) {
        if (!(error instanceof BewaardError)) throw error;
        if (isOfTheMedium(error)) return;
        if (daily(one.segment.id)) events.unsecuringDelayed(one.segment.id, error);
      }
    }
    if (leaving.length < AT_ONCE) return;
  }
}

async function emptyOne(
  { clock, events, database, node }: Securing,
  medium: Medium,
  leaving: LeavingSecured,
): Promise<void> {
  const { id, device, startedAt } = leaving.segment;
  const versions = await emptyVault(medium.vault, footageKey(node, device, startedAt, id));
  step("secure.emptied");
  await recordUnsecured(database, clock.now(), leaving, versions);
  step("secure.gone");
  events.securedDestroyed(id, leaving.medium);
}

/** What waits for a medium, and what is later than policy allows: an alarm each day. */
async function sayWhatWaits(
  events: Events,
  database: Database,
  medium: Medium | undefined,
  policy: SeparateCopy,
  now: Instant,
  daily: (what: string) => boolean,
): Promise<void> {
  const { toSecure, leaving } = await countWaiting(database, medium);
  const late = (since: Instant) => now - since >= AWAY_PATIENCE_MS;
  if (!medium && policy.wanted && toSecure.segments > 0 && daily("no medium"))
    events.separateCopyMissing(toSecure.segments);
  if (medium && toSecure.since !== undefined && late(toSecure.since) && daily("to secure"))
    events.mediumAwaited(medium, toSecure.segments);
  for (const one of leaving) {
    const name = shownMedium(one.medium);
    if (late(one.since) && daily(`leaving ${name}`))
      events.mediumMustCome(one.medium, one.segments);
    if (now - one.since >= policy.destroyWithinMs && daily(`overdue ${name}`))
      events.securedOverdue(one.medium, one.segments);
  }
}
