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
  /** Asked for: the vault has no copy yet, or did not answer. Not yet safe. */
  readonly asked: readonly SegmentId[];
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
  return { hold, ...(await flag(station, segments, signal)) };
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

/** Holds in the vault, and reads back, every version of these segments that is there. */
async function flag(
  { vault }: Station,
  segments: HoldRequest["segments"],
  signal: AbortSignal,
): Promise<{ inForce: SegmentId[]; asked: SegmentId[] }> {
  const inForce = new Set<SegmentId>();
  const wanted = new Set(segments.map(({ id }) => id));
  for await (const { key, versionId } of versionsOf(vault, segments, signal)) {
    const id = segmentOf(key);
    if (id === undefined) continue;
    await vault.setHold(key, versionId, true);
    step("desk.flagged");
    inForce.add(id);
  }
  return {
    inForce: [...inForce],
    asked: [...wanted].filter((id) => !inForce.has(id)),
  };
}
