import { BewaardError } from "#base/errors";
import { type Clock, type Instant, MINUTE_MS, plus, SECOND_MS } from "#base/time";
import type { PatientCalls } from "./patient-calls.ts";
import { keyListing } from "./s3-list.ts";
import type { Put, Writer } from "./s3-put.ts";

/**
 * Locks and holds a version as its put asked, and reads both back. With the headers of a single PUT that is a look;
 * after an upload in parts the headers were silently ignored by some, and it is done here.
 */
export async function keepAsAsked(
  writer: Writer,
  { key, keeping }: Put,
  versionId: string,
): Promise<void> {
  const { patient } = writer;
  if (patient.bucket.level !== "locked") return;
  const { lockedUntil, held } = keeping;
  if (lockedUntil !== undefined && lockedUntil > writer.now()) {
    if (!(await isLocked(patient, key, versionId, lockedUntil))) {
      await patient.setRetention(key, versionId, lockedUntil);
      if (!(await isLocked(patient, key, versionId, lockedUntil))) throw notAsSet(key, "lock");
    }
  }
  if (held) await holdWhereAllowed(patient, key, versionId);
}

async function isLocked(
  patient: PatientCalls,
  key: string,
  versionId: string,
  until: Instant,
): Promise<boolean> {
  const retention = await patient.getRetention(key, versionId);
  // Whole seconds are kept.
  return retention !== undefined && retention.until > until - SECOND_MS;
}

/** Where this credential may not, the desk's will: `isHeld` says what is true, and a hold is in force by that alone. */
async function holdWhereAllowed(
  patient: PatientCalls,
  key: string,
  versionId: string,
): Promise<void> {
  try {
    await holdAndLook(patient, key, versionId, true);
  } catch (error) {
    if (!(error instanceof BewaardError && error.code === "VAULT_DENIED")) throw error;
  }
}

/** A destruction that had passed its check before a hold came is over by then. */
const DESTRUCTION_MS = SECOND_MS;

/**
 * Sets a hold, or lifts one, and reads it back. Ceph looks for a hold, and then destroys: it can confirm a hold, and
 * have nothing left a moment later but the hold itself. So what no lock guards is looked for in the listing after
 * that moment (invariant 4).
 * @throws BewaardError VAULT_UNAVAILABLE when it did not stay as it was set, VAULT_NOT_FOUND when it is gone.
 */
export async function setHoldForSure(
  clock: Clock,
  patient: PatientCalls,
  key: string,
  versionId: string,
  held: boolean,
  signal: AbortSignal,
): Promise<void> {
  await holdAndLook(patient, key, versionId, held);
  if (!held || (await isLocked(patient, key, versionId, plus(clock.now(), MINUTE_MS)))) return;
  await clock.sleep(DESTRUCTION_MS, signal);
  const { versions } = await keyListing(patient, key, signal);
  if (!versions.some((one) => one.versionId === versionId)) throw gone(key);
  if (!(await patient.getHold(key, versionId))) throw notAsSet(key, "hold");
}

async function holdAndLook(
  patient: PatientCalls,
  key: string,
  versionId: string,
  held: boolean,
): Promise<void> {
  if ((await patient.getHold(key, versionId)) === held) return;
  await patient.setHold(key, versionId, held);
  if ((await patient.getHold(key, versionId)) !== held) throw notAsSet(key, "hold");
}

function gone(key: string): BewaardError {
  const message = `${key}: destroyed while it was being held`;
  return new BewaardError("VAULT_NOT_FOUND", message);
}

function notAsSet(key: string, what: "lock" | "hold"): BewaardError {
  const message = `${key}: the ${what} did not stay as it was set`;
  return new BewaardError("VAULT_UNAVAILABLE", message, { transient: true });
}
