import { atMostEvery } from "#base/at-most-every";
import { BewaardError } from "#base/errors";
import type { NodeId } from "#base/ids";
import { step } from "#base/step";
import { type Clock, DAY_MS, type Instant } from "#base/time";
import {
  type HoldToConfirm,
  holdsComplete,
  holdsToConfirm,
  holdsToLift,
  recordInForce,
  recordInVault,
  recordLifted,
} from "../storage/catalog/holds.ts";
import type { Segment } from "../storage/catalog/segment-row.ts";
import type { Database } from "../storage/catalog/sqlite.ts";
import { footageKey } from "../storage/vault/keys.ts";
import type { Vault } from "../storage/vault/vault.ts";
import { findLostHolds } from "./compare-holds.ts";
import type { Events } from "./events.ts";

const AT_ONCE = 500;

/** Sets in the vault what the desk asked to hold, lifts what it released, and says what is in force. */
export type Enforce = (now: Instant) => Promise<void>;

/**
 * Makes the function that enforces holds, for `heeder`. A box that may not set holds leaves that to the
 * desk, which has the custodian's credential, and waits until it reads them back.
 * @param separate whether a hold needs its separate copy to be in force.
 */
export function enforcer(
  clock: Clock,
  events: Events,
  database: Database,
  vault: Vault,
  node: NodeId,
  separate: boolean,
): Enforce {
  const daily = atMostEvery(clock, DAY_MS);
  const keyOf = ({ id, device, startedAt }: Segment) => footageKey(node, device, startedAt, id);

  async function confirm({ hold, segment, published }: HoldToConfirm, now: Instant): Promise<void> {
    try {
      if (vault.level !== "plain") await setEach(vault, keyOf(segment), true);
      else if (!published) return;
      step("hold.flagged");
      await recordInVault(database, now, hold, segment.id);
    } catch (error) {
      if (!(error instanceof BewaardError)) throw error;
      if (error.code !== "VAULT_DENIED") events.holdDelayed(hold, error);
      else if (daily(hold)) events.holdLeftToDesk(hold);
    }
  }

  async function confirmAll(now: Instant): Promise<void> {
    let after = "";
    for (;;) {
      const asked = await holdsToConfirm(database, after, AT_ONCE);
      for (const one of asked) await confirm(one, now);
      const last = asked.at(-1);
      if (last === undefined || asked.length < AT_ONCE) return;
      after = last.hold + last.segment.id;
    }
  }

  /**
   * The desk lifts what it releases by itself; but it, or its line, may have been cut off in between, and
   * a mark set by this box in the same moment would stay for ever.
   */
  async function lift(segment: Segment, now: Instant): Promise<void> {
    try {
      if (vault.level !== "plain") await setEach(vault, keyOf(segment), false);
      step("hold.lifted");
      await recordLifted(database, now, segment.id);
    } catch (error) {
      if (!(error instanceof BewaardError)) throw error;
      // One that cannot be lifted keeps no other from it, nor the desk from having been read.
      if (!daily(segment.id)) return;
      if (error.code === "VAULT_DENIED") events.liftLeftToDesk(segment.id);
      else events.liftDelayed(segment.id, error);
    }
  }

  return async (now) => {
    // What was lost is set again at once, where this box may.
    if (daily("look for lost holds")) await findLostHolds(events, database, vault, node, now);
    await confirmAll(now);
    for (const { hold, segment } of await holdsComplete(database, separate)) {
      if (!(await recordInForce(database, now, hold, segment))) continue;
      step("hold.in-force");
      events.holdInForce(hold, segment);
    }
    for (const segment of await holdsToLift(database)) await lift(segment, now);
  };
}

/** Every version is asked first: who may not set holds may still read back that another did. */
async function setEach(vault: Vault, key: string, held: boolean): Promise<void> {
  const versions = await vault.versions(key);
  if (held && versions.length === 0)
    throw new BewaardError("VAULT_NOT_FOUND", `${key}: the vault has nothing to hold`);
  for (const { versionId } of versions) {
    if ((await vault.isHeld(key, versionId)) !== held) await vault.setHold(key, versionId, held);
  }
}
