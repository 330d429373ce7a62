import { BewaardError } from "#base/errors";
import { type Instant, SECOND_MS } from "#base/time";
import type { PatientCalls } from "./patient-calls.ts";
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

/** @throws BewaardError VAULT_UNAVAILABLE when it did not stay as it was set. */
export async function holdAndLook(
  patient: PatientCalls,
  key: string,
  versionId: string,
  held: boolean,
): Promise<void> {
  if ((await patient.getHold(key, versionId)) === held) return;
  await patient.setHold(key, versionId, held);
  if ((await patient.getHold(key, versionId)) !== held) throw notAsSet(key, "hold");
}

function notAsSet(key: string, what: "lock" | "hold"): BewaardError {
  const message = `${key}: the ${what} did not stay as it was set`;
  return new BewaardError("VAULT_UNAVAILABLE", message, { transient: true });
}
