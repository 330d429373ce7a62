import { randomBytes } from "node:crypto";
import { ulid } from "ulid";
import { BewaardError } from "#base/errors";
import type { HoldId, SegmentId } from "#base/ids";
import { step } from "#base/step";
import type { Clock, Instant } from "#base/time";
import type { Policy } from "../../config/policy-schema.ts";
import { commitmentTo } from "../../storage/ledger/append.ts";
import { canonical } from "../../storage/ledger/canonical.ts";
import { sealText } from "../../storage/seal/small.ts";
import { bytesBody } from "../../storage/vault/body.ts";
import { deskDetailKey, segmentOf } from "../../storage/vault/keys.ts";
import { FREELY } from "../../storage/vault/vault.ts";
import { newHoldId } from "../new-id.ts";
import { appendEntry, type Station } from "./station.ts";
import { type Target, versionsOf } from "./targets.ts";

/** What a custodian says when securing footage (*veiligstellen*): never without an incident (DH-08). */
export interface HoldRequest {
  readonly incident: string;
  readonly purpose: string;
  /** One of the policy's grounds; `reference` is the aangifte's or vordering's number where it needs one. */
  readonly ground: string;
  readonly reference: string | undefined;
  readonly reason: string;
  readonly reviewAt: Instant;
  readonly segments: readonly Target[];
}

export interface HoldResult {
  readonly hold: HoldId;
  /** Held and read back in the vault. */
  readonly inForce: readonly SegmentId[];
  /**
   * Asked for, not yet safe: the vault has no copy, did not answer, or knows no holds; or the box must make
   * the separate copy first.
   */
  readonly asked: readonly SegmentId[];
  /** Why the vault did not hold what it has: error codes, each once. */
  readonly failed: readonly string[];
}

/**
 * Asks every box to hold these segments, and holds what the vault already has. Safe to repeat.
 * @throws BewaardError DESK_INPUT for a ground, reference or review date that policy does not allow.
 */
export async function holdFootage(
  clock: Clock,
  station: Station,
  policy: Policy,
  request: HoldRequest,
  signal: AbortSignal,
): Promise<HoldResult> {
  checkRequest(policy, request, clock.now());
  const { incident, purpose, ground, reference, reason, reviewAt, segments } = request;
  const hold = newHoldId(clock.now());
  const detail = await recordDetail(
    station,
    { reason, reference: reference ?? null },
    clock.now(),
    signal,
  );
  const command = { kind: "hold", hold, incident, purpose, ground, reviewAt, detail } as const;
  const owner = station.config.person;
  await appendEntry(clock, station, { ...command, owner, segments: [...segments] }, signal);
  const { held, failed } = await setHolds(station, segments, signal);
  const inForce = needsSeparate(station, policy) ? [] : held;
  const asked = new Set(segments.map(({ id }) => id)).difference(new Set(inForce));
  return { hold, inForce, asked: [...asked], failed };
}

/** Whether a hold is in force only once a box has made a separate copy (AR-20): only the box knows. */
function needsSeparate({ config }: Station, policy: Policy): boolean {
  return policy.separate_copy || config.secured !== undefined;
}

function checkRequest(policy: Policy, request: HoldRequest, now: Instant): void {
  const ground = policy.hold_grounds.find(({ name }) => name === request.ground);
  const names = policy.hold_grounds.map(({ name }) => name).join(", ");
  const why = !policy.purposes.includes(request.purpose)
    ? `doel "${request.purpose}" staat niet in het beleid; kies uit / choose from: ${policy.purposes.join(", ")}`
    : !ground
      ? `grond "${request.ground}" staat niet in het beleid; kies uit / choose from: ${names}`
      : ground.reference && !request.reference
        ? `grond "${ground.name}" vraagt een kenmerk / needs --reference`
        : request.reviewAt <= now
          ? "de herzieningsdatum ligt in het verleden / --review is in the past"
          : request.reason.trim() === ""
            ? "geef een reden / give a reason"
            : undefined;
  if (why !== undefined) throw new BewaardError("DESK_INPUT", why);
}

/** What a person wrote is sealed to the officers; the chain only commits to it. */
async function recordDetail(
  { vault, config }: Station,
  written: { reason: string; reference: string | null },
  now: Instant,
  signal: AbortSignal,
): Promise<string> {
  const salt = randomBytes(16);
  const body = canonical(written);
  const sealed = await sealText(
    config.officers,
    canonical({ salt: salt.toString("base64"), body: written }),
  );
  await vault.put(deskDetailKey(ulid(now)), bytesBody(sealed), FREELY, signal);
  return commitmentTo(salt, body);
}

/**
 * Holds in the vault, with this desk's credential, every version of these segments that is there, and reads
 * it back. One that is refused, or not answered for, keeps no other from being held.
 */
export async function setHolds(
  { vault }: Pick<Station, "vault">,
  segments: readonly Target[],
  signal: AbortSignal,
): Promise<{ readonly held: readonly SegmentId[]; readonly failed: readonly string[] }> {
  const held = new Set<SegmentId>();
  const failed = new Map<SegmentId, string>();
  // A plain vault knows no holds: the box's ledger says that it has read this one.
  if (vault.level === "plain") return { held: [], failed: [] };
  for await (const { key, versionId } of versionsOf(vault, segments, signal)) {
    const id = segmentOf(key);
    if (id === undefined) continue;
    try {
      await vault.setHold(key, versionId, true);
      step("desk.flagged");
      held.add(id);
    } catch (error) {
      if (!(error instanceof BewaardError)) throw error;
      failed.set(id, error.code);
    }
  }
  const whole = [...held].filter((id) => !failed.has(id));
  return { held: whole, failed: [...new Set(failed.values())] };
}

/** Lifts the hold of every version of these segments; returns of how many segments. */
export async function lift(
  { vault }: Pick<Station, "vault">,
  segments: readonly Target[],
  signal: AbortSignal,
): Promise<number> {
  if (vault.level === "plain") return 0;
  const lifted = new Set<SegmentId>();
  for await (const { key, versionId } of versionsOf(vault, segments, signal)) {
    const id = segmentOf(key);
    if (id === undefined || !(await vault.isHeld(key, versionId))) continue;
    await vault.setHold(key, versionId, false);
    lifted.add(id);
  }
  return lifted.size;
}
